(* T3c: a policy for each goal. For fixed policies, and so for each of the finitely many families of deterministic policies, all discounts
   but finitely many are unexceptional. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base L1.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Policies.
Variables (F : realFieldType) (n : nat) (R : 'M[F]_n) (C : 'I_n -> 'I_n -> F).
Hypothesis C01 : forall g i, 0 <= C g i <= 1.

Definition stochastic (P : 'M[F]_n) := (forall i j, 0 <= P i j) /\ (forall i, \sum_j P i j = 1).
(* M belongs to the rewards R at the discount gamma, goal g under the kernel K g of its policy *)
Definition tests_under (K : 'I_n -> 'M[F]_n) (gamma : F) (M : 'M[F]_n) :=
  forall g i, M g i = R g i + gamma * C g i * \sum_j K g i j * M g j.

(* I - X D P over the polynomials, and the matrix whose row g is r_g times its adjugate *)
Definition resolvent_poly (P : 'M[F]_n) (c : 'I_n -> F) : 'M[{poly F}]_n :=
  \matrix_(i, j) ((i == j)%:R - 'X * (c i * P i j)%:P).
Definition numerators (K : 'I_n -> 'M[F]_n) : 'M[{poly F}]_n :=
  \matrix_(g, i) (\row_j (R g j)%:P *m (\adj (resolvent_poly (K g) (C g)))^T) 0 i.

Lemma resolvent_polyE P c gamma : map_mx (horner_eval gamma) (resolvent_poly P c) = resolvent gamma c P.
Proof.
by apply/matrixP => i j; rewrite !mxE /= /horner_eval hornerD hornerN hornerMn hornerC hornerM hornerX hornerC mulrA.
Qed.

Lemma numeratorsE K gamma M : 0 <= gamma < 1 -> (forall g, stochastic (K g)) -> tests_under K gamma M ->
  forall g i, (numerators K g i).[gamma] = \det (resolvent gamma (C g) (K g)) * M g i.
Proof.
move=> /andP[g0 g1] sK MR g i; have [P0 P1] := sK g.
have row_g : row g M *m (resolvent gamma (C g) (K g))^T = row g R.
  apply/(test_functionsE gamma (C g) (K g)) => l s; rewrite !mxE MR; congr (_ + _ * _).
  by apply: eq_bigr => j _; rewrite mxE.
rewrite mxE -/(horner_eval gamma _).
have -> : horner_eval gamma ((\row_j (R g j)%:P *m (\adj (resolvent_poly (K g) (C g)))^T) 0 i)
  = (map_mx (horner_eval gamma) (\row_j (R g j)%:P *m (\adj (resolvent_poly (K g) (C g)))^T)) 0 i by rewrite [RHS]mxE.
rewrite map_mxM -map_trmx map_mx_adj resolvent_polyE (_ : map_mx _ _ = row g R); last first.
  by apply/rowP => j; rewrite !mxE /= /horner_eval hornerC.
by rewrite -row_g -mulmxA -trmx_mul mul_adj_mx tr_scalar_mx mul_mx_scalar !mxE.
Qed.

(** n goals whose rewards span all functions of the state identify every row, even among all real vectors, at all discounts but the roots of one
    polynomial that is not zero; for any finite list of families of policies, such as all families of deterministic ones. *)
Theorem T3c_all_but_finitely_many (families : seq ('I_n -> 'M[F]_n)) : \rank R = n ->
  (forall K, List.In K families -> forall g, stochastic (K g)) ->
  exists2 f : {poly F}, f != 0 & forall gamma K M, 0 <= gamma < 1 -> List.In K families -> tests_under K gamma M ->
    f.[gamma] != 0 -> \rank M = n.
Proof.
move=> Rn; elim: families => [_|K families IH sK]; first by exists 1; rewrite ?oner_neq0.
have [|f f0 fP] := IH; first by move=> K' inK'; apply: sK; right.
have sK0 : forall g, stochastic (K g) by apply: sK; left.
exists (\det (numerators K) * f); last first.
  move=> gamma K' M g01 [<-|inK'] MR; rewrite hornerM mulf_eq0 negb_or => /andP[dK fg]; last exact: fP inK' MR fg.
  apply/eqP; rewrite -[_ == _]/(row_full M) row_full_unit unitmxE unitfE.
  apply: contraNneq dK => M0; rewrite -/(horner_eval gamma _) -det_map_mx.
  have -> : map_mx (horner_eval gamma) (numerators K) = diag_mx (\row_g \det (resolvent gamma (C g) (K g))) *m M.
    by apply/matrixP => g i; rewrite mul_diag_mx !mxE -(numeratorsE g01 sK0 MR) !mxE.
  by rewrite det_mulmx M0 mulr0.
rewrite mulf_neq0 //; apply/eqP => d0; have := congr1 (fun p : {poly F} => p.[0]) d0.
rewrite /= horner0 -/(horner_eval 0 _) -det_map_mx (_ : map_mx _ _ = R).
  by move/eqP; rewrite -[_ == 0]negbK -unitfE -unitmxE -row_full_unit /row_full Rn eqxx.
have M0 : tests_under K 0 R by move=> g i; rewrite !mul0r addr0.
have z01 : 0 <= (0 : F) < 1 by rewrite lexx ltr01.
apply/matrixP => g i; rewrite mxE /= /horner_eval (numeratorsE z01 sK0 M0) (_ : resolvent _ _ _ = 1%:M) ?det1 ?mul1r //.
by apply/matrixP => s t; rewrite !mxE !mul0r subr0.
Qed.
End Policies.
