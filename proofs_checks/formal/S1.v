(* S1: uniqueness inside the simplex. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Simplex.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)).
Implicit Types p q v : 'rV[F]_n.

(** Part (a): a row is the only distribution with its values iff no direction leads from its face. *)
Theorem S1_identified_iff_no_direction p :
  distribution p -> identified M p <-> ~ (exists v, [/\ v != 0, v *m (system M)^T = 0 & forall i, p 0 i = 0 -> 0 <= v 0 i]).
Proof.
move=> dp; rewrite identified_iff //; split=> none [v]; last by case=> v0 vM _ out; apply: none; exists v.
by case=> v0 vM out; apply: none; exists v; split=> // i; rewrite inE.
Qed.

Definition sure (s : 'I_n) : 'rV[F]_n := delta_mx 0 s.

Lemma sure_distribution s : distribution (sure s).
Proof.
split=> [i|]; first by rewrite mxE; case: andP; rewrite ?ler01 ?lexx.
by rewrite total_sum (bigD1 s) //= big1 => [|i /negPf is0]; rewrite mxE ?eqxx ?addr0 // is0 andbF.
Qed.

(** Part (b): a deterministic row is identified among all distributions iff its column of M is no average of the other columns. *)
Theorem S1_deterministic_iff_corner s :
  identified M (sure s) <-> ~ (exists q, [/\ distribution q, q 0 s = 0 & q *m M^T = sure s *m M^T]).
Proof.
split=> [id [q [dq qs Mq]] | none q [q0 q1] _ Mq].
  have /rowP/(_ s) := id q dq (fun i => ltac:(by rewrite inE)) Mq.
  by rewrite qs mxE !eqxx => /esym/eqP; rewrite oner_eq0.
have [qs|qs] := eqVneq (q 0 s) 1.
  apply/rowP => i; have [->|is0] := eqVneq i s; first by rewrite qs mxE !eqxx.
  rewrite [RHS]mxE (negPf is0) andbF; move: q1; rewrite total_sum (bigD1 s) //= qs.
  rewrite -[RHS]addr0 => /addrI/eqP; rewrite psumr_eq0 // => /allP/(_ i).
  by rewrite mem_index_enum is0 => /(_ isT)/eqP.
have le1 : q 0 s <= 1 by rewrite -q1 total_sum (bigD1 s) //= ler_addl sumr_ge0.
have lt1 : 0 < 1 - q 0 s by rewrite subr_gt0 lt_neqAle qs.
case: none; exists ((1 - q 0 s)^-1 *: (q - q 0 s *: sure s)); split.
- split=> [i|]; last first.
    by rewrite totalZ totalB totalZ q1 (proj2 (sure_distribution s)) mulr1 mulVf // gt_eqF.
  rewrite !mxE; apply: mulr_ge0; first by rewrite invr_ge0 ltW.
  have [->|/negPf is0] := eqVneq i s; first by rewrite eqxx mulr1 subrr.
  by rewrite ?is0 andbF mulr0 subr0.
- by rewrite !mxE !eqxx mulr1 subrr mulr0.
- by rewrite -scalemxAl mulmxBl -scalemxAl Mq -[X in X - _]scale1r -scalerBl scalerA mulVf ?gt_eqF // scale1r.
Qed.
End Simplex.

Section MomentCurve.
Variables (F : realFieldType) (n N : nat) (x : 'I_n -> F).
Hypothesis x_inj : injective x.

(* goal j values state i at x_i^j, j = 1, ..., 2N *)
Definition moments : 'M[F]_(2 * N, n) := \matrix_(j, i) x i ^+ j.+1.

Lemma moments_poly (v : 'rV[F]_n) (f : {poly F}) :
  v *m (system moments)^T = 0 -> (size f <= (2 * N).+1)%N -> \sum_i v 0 i * f.[x i] = 0.
Proof.
move=> /system0[Mv tv] sf.
rewrite (eq_bigr (fun i => \sum_(j < (2 * N).+1) f`_j * (v 0 i * x i ^+ j))) => [|i _]; last first.
  by rewrite (horner_coef_wide _ sf) mulr_sumr; apply: eq_bigr => j _; rewrite mulrCA.
rewrite exchange_big /= big1 // => -[[|j] ltj] _; rewrite -mulr_sumr /=.
  by rewrite (eq_bigr (fun i => v 0 i)) => [|i _]; rewrite ?expr0 ?mulr1 // -total_sum tv mulr0.
have := congr1 (fun w : 'rV_(2 * N) => w 0 (Ordinal (ltj : (j < 2 * N)%N))) Mv.
by rewrite !mxE (eq_bigr (fun i => v 0 i * x i ^+ j.+1)) => [->|i _]; rewrite ?mulr0 // !mxE.
Qed.

(** Part (d): with 2N goals on the moment curve every row with at most N successors is identified among all distributions. *)
Theorem S1_moment_curve_identifies (p : 'rV[F]_n) :
  distribution p -> (#|support p| <= N)%N -> identified moments p.
Proof.
move=> dp pN; apply/identified_iff => // -[v [v0 vM _ out]].
set T := support p in pN.
pose g (S : {set 'I_n}) : {poly F} := \prod_(i <- enum S) ('X - (x i)%:P).
have size_g S : (size (g S) = #|S|.+1)%N by rewrite size_prod_XsubC cardE.
have root_g S i : ((g S).[x i] == 0) = (i \in S).
  rewrite horner_prod prodf_seq_eq0 -mem_enum; apply/hasP/idP => [[j jS]|iS].
    by rewrite /= hornerXsubC subr_eq0 => /eqP/x_inj->.
  by exists i; rewrite //= hornerXsubC subrr.
have off i : i \notin T -> v 0 i = 0.
  move=> iT; have sq : (size (g T ^+ 2) <= (2 * N).+1)%N.
    rewrite (leq_trans (size_exp_leq _ _)) // size_g /= ltnS mulnC leq_mul2l pN.
    by rewrite orbT.
  have := moments_poly vM sq; move/eqP; rewrite psumr_eq0 => [/allP/(_ i)|j _].
    rewrite mem_index_enum => /(_ isT); rewrite mulf_eq0 horner_exp sqrf_eq0 root_g (negPf iT) orbF.
    by move/eqP.
  rewrite horner_exp; case: (boolP (j \in T)) => jT.
    by have /eqP-> : (g T).[x j] == 0; rewrite ?root_g // expr0n mulr0.
  by rewrite mulr_ge0 ?sqr_ge0 // out //; apply/eqP; move: jT; rewrite inE negbK.
case/negP: v0; apply/eqP/rowP => i; rewrite mxE; case: (boolP (i \in T)) => [iT|/off//].
have small : (size (g (T :\ i)) <= (2 * N).+1)%N.
  rewrite size_g ltnS (leq_trans (subset_leq_card (subD1set _ _))) // (leq_trans pN) //.
  by rewrite leq_pmull.
have := moments_poly vM small; rewrite (bigD1 i) //= big1 ?addr0 => [|j ji].
  by move/eqP; rewrite mulf_eq0 root_g in_setD1 eqxx orbF => /eqP.
case: (boolP (j \in T)) => [jT|/off->]; last by rewrite mul0r.
by have /eqP-> : (g (T :\ i)).[x j] == 0; rewrite ?mulr0 // root_g in_setD1 ji.
Qed.
End MomentCurve.

Section Radon.
Variables (F : realFieldType) (k n N : nat) (M : 'M[F]_(k, n)).

(** Part (e): with 2N - 1 goals or fewer, and n >= k + 2 states, some row with at most N successors is not identified among
    distributions, whatever the rewards; so the 2N goals of the moment curve are as few as can be. *)
Theorem S1_radon : (k < 2 * N)%N -> (k + 1 < n)%N ->
  exists2 p : 'rV[F]_n, distribution p /\ (#|support p| <= N)%N & ~ identified M p.
Proof.
move=> kN kn.
have le_n : (k + 2 <= n)%N by move: kn; rewrite addn1 addn2.
pose T := [set widen_ord le_n i | i : 'I_(k + 2)].
have sT : #|T| = (k + 2)%N.
  rewrite card_imset ?card_ord // => i j /(congr1 val) /= e.
  exact: val_inj.
have [|v [v0 vM vT]] := @null_vector_on F k n M T; first by rewrite sT !addnS.
pose neg (u : 'rV[F]_n) := [set i | u 0 i < 0].
have count : (#|neg v| + #|neg (- v)| <= k + 2)%N.
  rewrite -sT -cardsUI (_ : _ :&: _ = set0) ?cards0 ?addn0; last first.
    by apply/setP => i; rewrite !inE mxE oppr_lt0; case: ltgtP.
  apply/subset_leq_card/subsetP => i; rewrite !inE mxE; apply: contraLR => /vT->.
  by rewrite oppr0 ltxx.
have [w [w0 wM few]] : exists w : 'rV_n, [/\ w != 0, w *m (system M)^T = 0 & (#|neg w| <= N)%N].
  case: (leqP #|neg v| N) => [few|many]; first by exists v.
  exists (- v); rewrite oppr_eq0 mulNmx vM oppr0; split=> //.
  rewrite -(leq_add2l N.+1) (leq_trans (_ : _ <= k + 2)%N) //.
    by apply: leq_trans count; rewrite leq_add2r.
  by rewrite addn2 addSn ltnS addnn -mul2n.
have [p [dp pE] np] := negative_part w0 wM; exists p => //; split=> //.
apply: leq_trans few; apply/subset_leq_card/subsetP => i; rewrite !inE; apply: contraNT.
by rewrite -leNgt => /pE->.
Qed.
End Radon.
