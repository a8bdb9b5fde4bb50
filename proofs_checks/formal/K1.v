(* K1: discounts in place of goals: one reward r under one policy, seen at several discounts. Horizons, the row of ones and the
   conditions of Hautus are not here. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base L1.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* the coefficients of the products of all factors 1 - gamma_i X but one, for distinct gamma_i, are independent *)
Section Products.
Variables (F : fieldType) (J : nat) (gamma : 'I_J -> F).
Hypothesis gamma_inj : injective gamma.

Definition factor (i : 'I_J) : {poly F} := 1 - (gamma i)%:P * 'X.
Definition others (j : 'I_J) : {poly F} := \prod_(i | i != j) factor i.
Definition coefficients : 'M[F]_J := \matrix_(j, i) (others j)`_i.

Lemma factorE i x : (factor i).[x] = 1 - gamma i * x.
Proof. by rewrite /factor hornerD hornerN hornerM hornerX !hornerC. Qed.

Lemma size_factor i : (size (factor i) <= 2)%N.
Proof.
rewrite (leq_trans (size_add _ _)) // geq_max size_poly1 size_opp /=.
by rewrite (leq_trans (size_mul_leq _ _)) // size_polyX addnC /= size_polyC; case: eqP.
Qed.

Lemma size_others j : (size (others j) <= J)%N.
Proof.
apply: leq_trans (size_prod_leq _ _) _.
have card : #|[pred i | i != j]| = J.-1 by rewrite cardC1 card_ord.
have J0 : (0 < J)%N by apply: leq_ltn_trans (ltn_ord j).
have sum : (\sum_(i | i != j) size (factor i) <= J.-1 * 2)%N.
  by rewrite -card -sum_nat_const; apply: leq_sum => i _; apply: size_factor.
rewrite leq_subLR (eq_card (_ : _ =i [pred i | i != j])) // card.
apply: leq_ltn_trans sum _.
by rewrite muln2 -addnn ltn_add2l prednK.
Qed.

Lemma coefficients_unit : coefficients \in unitmx.
Proof.
rewrite -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => l; rewrite row0.
have : row l (kermx coefficients) *m coefficients = 0 by rewrite -row_mul mulmx_ker row0.
set c := row l _ => c0; have poly0 : \sum_j (c 0 j) *: others j = 0.
  apply/polyP => m; rewrite coef0 coef_sum; case: (ltnP m J) => [lt|ge].
    have /rowP/(_ (Ordinal lt)) := c0; rewrite !mxE => e; rewrite -[RHS]e.
    by apply: eq_bigr => j _; rewrite coefZ !mxE.
  by rewrite big1 // => j _; rewrite coefZ nth_default ?mulr0 // (leq_trans (size_others j)).
(* at 1 / gamma_j only the j-th product is not zero *)
have nonzero j : gamma j != 0 -> c 0 j = 0.
  move=> gj; have := congr1 (fun f : {poly F} => f.[(gamma j)^-1]) poly0.
  rewrite /= horner0 horner_sum (bigD1 j) //= big1 ?addr0 => [|i ij]; last first.
    rewrite hornerZ /others (bigD1 j) 1?eq_sym //= hornerM factorE divff // subrr mul0r mulr0 //.
  rewrite hornerZ => /eqP; rewrite mulf_eq0 horner_prod => /orP[/eqP//|].
  move/prodf_eq0 => [i ij]; rewrite factorE subr_eq0 eq_sym -(inj_eq (mulIf gj)) mul1r mulfVK // => /eqP/gamma_inj e.
  by rewrite e eqxx in ij.
apply/rowP => j; rewrite [RHS]mxE; have [gj|/nonzero//] := eqVneq (gamma j) 0.
have := congr1 (fun f : {poly F} => f.[0]) poly0; rewrite /= horner0 horner_sum (bigD1 j) //= big1 ?addr0 => [|i ij].
  rewrite hornerZ horner_prod big1 ?mulr1 // => i _.
  by rewrite factorE mulr0 subr0.
rewrite nonzero ?scale0r ?horner0 //; apply: contraNneq ij => gi.
by apply/eqP/gamma_inj; rewrite gi.
Qed.
End Products.

Section Discounts.
Variables (F : realFieldType) (n' J : nat) (gamma : 'I_J -> F) (P : 'M[F]_n'.+1) (r : 'rV[F]_n'.+1).
Hypotheses (gamma_inj : injective gamma) (gamma01 : forall j, 0 <= gamma j < 1).
Hypotheses (P0 : forall i j, 0 <= P i j) (P1 : forall i, \sum_j P i j = 1).

(* what one agent at discount gamma_j shows of the reward r *)
Definition discounted (M : 'M[F]_(J, n'.+1)) := forall j s, M j s = r 0 s + gamma j * \sum_t P s t * M j t.
(* the rows r, P r, ..., P^(J-1) r *)
Definition krylov : 'M[F]_(J, n'.+1) := \matrix_(j, s) (r *m P^T ^+ j) 0 s.

Lemma shifted M j : discounted M -> row j M *m (1%:M - gamma j *: P^T) = r.
Proof.
move=> MR; apply/rowP => s; rewrite mulmxBr mulmx1 -scalemxAr !mxE MR.
rewrite [X in _ - _ * X](eq_bigr (fun t => P s t * M j t)) ?addrK // => t _.
by rewrite !mxE mulrC.
Qed.

Lemma shift_unit j : 1%:M - gamma j *: P^T \in unitmx.
Proof.
have /andP[g0 g1] := gamma01 j; rewrite -unitmx_tr.
rewrite (_ : (_ - _)^T = resolvent (gamma j) (fun _ => 1) P); last first.
  by apply/matrixP => i k; rewrite !mxE mulr1 eq_sym.
by apply: L1_resolvent_invertible => // i; rewrite ler01 lexx.
Qed.

Lemma horner_factor j : horner_mx P^T (factor gamma j) = 1%:M - gamma j *: P^T.
Proof. by rewrite /factor rmorphB rmorph1 rmorphM /= horner_mx_C horner_mx_X -mul_scalar_mx. Qed.

Lemma horner_sum_powers (f : {poly F}) : (size f <= J)%N -> r *m horner_mx P^T f = \sum_(i < J) f`_i *: (r *m P^T ^+ i).
Proof.
move=> sf; have {1}-> : f = \sum_(i < J) (f`_i)%:P * 'X^i.
  apply/polyP => m; rewrite coef_sum; case: (ltnP m J) => [lt|ge].
    rewrite (bigD1 (Ordinal lt)) //= big1 => [|i im]; first by rewrite coefCM coefXn eqxx mulr1 addr0.
    by rewrite coefCM coefXn; have [e|_] := eqVneq m i; [rewrite -val_eqE /= e eqxx in im | rewrite mulr0].
  rewrite nth_default ?(leq_trans sf) // big1 // => i _; rewrite coefCM coefXn.
  by have [e|_] := eqVneq m i; [move: ge; rewrite e leqNgt ltn_ord | rewrite mulr0].
rewrite rmorph_sum mulmx_sumr; apply: eq_bigr => i _.
by rewrite rmorphM /= horner_mx_C rmorphX /= horner_mx_X -[_%:M * _]/(_%:M *m _) mul_scalar_mx -scalemxAr.
Qed.

(** J distinct discounts (zero allowed) of one policy show as much as r, P r, ..., P^(J-1) r: both matrices have the same rank. *)
Theorem K1_rank_of_discounts M : discounted M -> \rank M = \rank krylov.
Proof.
move=> MR; pose W := horner_mx P^T (\prod_i factor gamma i).
have unitW : W \in unitmx.
  rewrite /W rmorph_prod; elim/big_ind: _ => [|x y xu yu|j _]; first exact: unitmx1.
    by rewrite -[x * y]/(x *m y) unitmx_mul xu.
  by rewrite /= horner_factor shift_unit.
have MW : M *m W = coefficients gamma *m krylov.
  apply/row_matrixP => j; rewrite row_mul /W (bigD1 j) //= rmorphM /= horner_factor.
  rewrite -[_ * _]/(_ *m _) mulmxA shifted // horner_sum_powers ?size_others //.
  by apply/rowP => s; rewrite summxE !mxE; apply: eq_bigr => i _; rewrite !mxE.
have <- : \rank (M *m W) = \rank M by rewrite mxrankMfree // row_free_unit.
by rewrite MW (eqmxMfull krylov) // row_full_unit coefficients_unit.
Qed.
End Discounts.

(** n discounts of one policy determine every row, even among all real vectors, iff the reward is cyclic: r, P r, ..., P^(n-1) r span. *)
Theorem K1_cyclic (F : realFieldType) (n' : nat) (gamma : 'I_n'.+1 -> F) (P : 'M[F]_n'.+1) (r : 'rV[F]_n'.+1) (M : 'M[F]_n'.+1) :
  injective gamma -> (forall j, 0 <= gamma j < 1) -> (forall i j, 0 <= P i j) -> (forall i, \sum_j P i j = 1) ->
  discounted gamma P r M ->
  (forall p q : 'rV_n'.+1, p *m M^T = q *m M^T -> p = q) <-> \rank (krylov n'.+1 P r) = n'.+1.
Proof.
move=> inj g01 P0 P1 MR; rewrite -(K1_rank_of_discounts inj g01 P0 P1 MR) -null_space_trivial.
split=> [all v v0 | none p q e]; first by apply: all; rewrite v0 mul0mx.
by apply/eqP; rewrite -subr_eq0; apply/eqP/none; rewrite mulmxBl e subrr.
Qed.
