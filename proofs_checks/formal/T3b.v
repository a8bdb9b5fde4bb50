(* T3b: rewards under one policy for all goals. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base L1.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section OnePolicy.
Variables (F : realFieldType) (k n : nat) (gamma : F) (P : 'M[F]_n).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1).
Hypotheses (P0 : forall i j, 0 <= P i j) (P1 : forall i, \sum_j P i j = 1).

(* M belongs to the rewards R: m = r + gamma D P m for every goal, with its own continuation *)
Definition tests_of (m : nat) (C : 'I_m -> 'I_n -> F) (R M : 'M[F]_(m, n)) :=
  forall g i, M g i = R g i + gamma * C g i * \sum_j P i j * M g j.

(** Part (a): with one continuation for all goals M = R N^T with N invertible, so M has the rank of the rewards. *)
Theorem T3b_rank_of_the_rewards (C : 'I_n -> F) (R M : 'M[F]_(k, n)) : (forall i, 0 <= C i <= 1) ->
  tests_of (fun _ => C) R M -> M = R *m (invmx (resolvent gamma C P))^T /\ \rank M = \rank R.
Proof.
move=> C01 /(iffLR (L1_test_functions gamma0 gamma1 C01 P0 P1 R M)) MR; split=> //.
rewrite {1}MR mxrankMfree // row_free_unit unitmx_tr unitmx_inv.
exact: L1_resolvent_invertible.
Qed.

(** Part (a): rewards that span all functions of the state identify every row, even among all real vectors. *)
Theorem T3b_spanning_rewards_suffice (C : 'I_n -> F) (R M : 'M[F]_(k, n)) : (forall i, 0 <= C i <= 1) ->
  tests_of (fun _ => C) R M -> \rank R = n -> forall p q : 'rV_n, p *m M^T = q *m M^T -> p = q.
Proof.
move=> C01 MR Rn p q e; apply/eqP; rewrite -subr_eq0; apply/eqP.
apply: (iffRL (null_space_trivial M)); last by rewrite mulmxBl e subrr.
by have [_ ->] := T3b_rank_of_the_rewards C01 MR.
Qed.

(* the occupancy (I - gamma P)^-1; column g of it belongs to the indicator of g without termination *)
Definition ones (i : 'I_n) : F := 1.
Lemma ones01 i : 0 <= ones i <= 1. Proof. by rewrite ler01 lexx. Qed.
Definition occupancy : 'M[F]_n := (invmx (resolvent gamma ones P))^T.

Lemma occupancy_unit : occupancy \in unitmx.
Proof. by rewrite unitmx_tr unitmx_inv L1_resolvent_invertible // => i; apply: ones01. Qed.

Lemma occupancyE : tests_of (fun _ => ones) 1%:M occupancy.
Proof. by apply/(L1_test_functions gamma0 gamma1 ones01 P0 P1); rewrite mul1mx. Qed.

(* goal of the state t: reward one on arrival there, which ends the episode *)
Definition ending (t : 'I_n) (i : 'I_n) : F := (i != t)%:R.
Lemma ending01 t i : 0 <= ending t i <= 1.
Proof. by rewrite /ending; case: eqP; rewrite ?lexx ?ler01. Qed.

(* renewal: with termination the test function of t is that without, divided by its value at t *)
Lemma renewal (m : nat) (goal : 'I_m -> 'I_n) (M : 'M[F]_(m, n)) (N : 'M[F]_n) g :
  N \in unitmx -> tests_of (fun _ => ones) 1%:M N ->
  tests_of (fun g => ending (goal g)) (\matrix_(g, i) (i == goal g)%:R) M ->
  N (goal g) (goal g) != 0 /\ row (goal g) N = N (goal g) (goal g) *: row g M.
Proof.
move=> unitN NE MR; set t := goal g; set c := N t t.
have : row t N - c *: row g M = 0.
  apply: (iffRL (null_space_trivial (resolvent gamma (ending t) P))).
    by apply/eqP; rewrite -[_ == _]/(row_full _) row_full_unit L1_resolvent_invertible // => i; apply: ending01.
  apply/rowP => i; rewrite resolventE [RHS]mxE; apply/eqP; rewrite subr_eq0; apply/eqP.
  rewrite (eq_bigr (fun j => P i j * N t j - c * (P i j * M g j))) => [|j _]; last first.
    by rewrite !mxE mulrBr [P i j * (c * _)]mulrCA.
  rewrite sumrB -mulr_sumr !mxE MR !mxE /ending -/t; have [->|it] := eqVneq i t.
    by rewrite mulr0 !mul0r addr0 mulr1 subrr.
  rewrite mulr1 add0r {1}NE mxE [t == i]eq_sym (negPf it) add0r /ones !mulr1 mulrBr.
  by rewrite [c * (gamma * _)]mulrCA.
move/eqP; rewrite subr_eq0 => /eqP e; split=> //; apply/eqP => c0.
have : delta_mx 0 t *m N = (0 : 'rV_n) by rewrite -rowE e c0 scale0r.
move/(congr1 (fun x => x *m invmx N)); rewrite mulmxK // mul0mx => /rowP/(_ t)/eqP.
by rewrite !mxE !eqxx oner_eq0.
Qed.

(** Part (b): the indicator goals of all states, with termination on arrival, identify every row, even among all real vectors. *)
Theorem T3b_terminating_indicators_suffice (M : 'M[F]_n) :
  tests_of ending (\matrix_(g, i) (i == g)%:R) M -> \rank M = n.
Proof.
move=> MR; move: occupancy occupancy_unit occupancyE => N unitN NE.
have e : N = diag_mx (\row_g N g g) *m M.
  apply/matrixP => g i; have [_ /rowP/(_ i)] := @renewal _ id M N g unitN NE MR.
  by rewrite mul_diag_mx !mxE.
apply/eqP; rewrite eqn_leq rank_leq_row /= -[X in (X <= _)%N](mxrank_unit unitN) {1}e.
exact: mxrankM_maxr.
Qed.
End OnePolicy.

(* Part (c): indicator goals in some of the states *)
Section SomeIndicators.
Variables (F : realFieldType) (k n : nat) (gamma : F) (P : 'M[F]_n) (goal : 'I_k -> 'I_n).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1) (goal_inj : injective goal).
Hypotheses (P0 : forall i j, 0 <= P i j) (P1 : forall i, \sum_j P i j = 1).

Definition indicators : 'M[F]_(k, n) := \matrix_(g, i) (i == goal g)%:R.

(* M scaled row by row: rank [diag(c) R N; 1] where 1 N = const *)
Lemma scaled_rank (N : 'M[F]_n) (c : 'I_k -> F) (M : 'M[F]_(k, n)) (t : F) : N \in unitmx -> t != 0 ->
  (const_mx 1 : 'rV_n) *m N = t *: const_mx 1 -> (forall g, c g != 0 /\ row (goal g) N = c g *: row g M) ->
  \rank (system M) = \rank (system indicators).
Proof.
move=> unitN t0 oneN rows; pose S : 'M[F]_(k + 1) := block_mx (diag_mx (\row_g c g)) 0 0 (t%:M).
have e : S *m system M = system indicators *m N.
  rewrite /S /system mul_block_col mul_col_mx !mul0mx addr0 add0r mul_scalar_mx oneN; congr col_mx.
  apply/row_matrixP => g; have [_ rg] := rows g; rewrite [RHS]row_mul (_ : row g indicators = delta_mx 0 (goal g)).
    by rewrite -rowE rg; apply/rowP => i; rewrite mul_diag_mx !mxE.
  by apply/rowP => i; rewrite !mxE eqxx.
have unitS : S \in unitmx.
  rewrite unitmxE det_lblock det_diag det_scalar1 unitfE mulf_neq0 // prodf_seq_neq0.
  by apply/allP => g _; rewrite mxE /=; case: (rows g).
have <- : \rank (system indicators *m N) = \rank (system indicators) by rewrite mxrankMfree // row_free_unit.
by rewrite -e (eqmxMfull (system M)) // row_full_unit.
Qed.

Lemma indicators_rank : \rank (system indicators) = minn (k + 1) n.
Proof.
have kn : (k <= n)%N by rewrite -[k]card_ord -[n]card_ord; apply: leq_card goal_inj.
have free : (k < n)%N -> row_free (system indicators).
  move=> lt; rewrite -kermx_eq0; apply/eqP/row_matrixP => l; rewrite row0.
  have : row l (kermx (system indicators)) *m system indicators = 0 by rewrite -row_mul mulmx_ker row0.
  rewrite -[row l _]hsubmxK; move: (lsubmx _) (rsubmx _) => c v; rewrite /system mul_row_col => e.
  have at_ i : \sum_g c 0 g * (i == goal g)%:R + v 0 0 = 0.
    have /rowP/(_ i) := e; rewrite !mxE big_ord1 !mxE mulr1 => {2}<-; congr (_ + _).
    by apply: eq_bigr => g _; rewrite !mxE.
  have [i0 i0P] : exists i, i \notin codom goal.
    apply/existsP; rewrite -negb_forall; apply: contraTN lt => /forallP all; rewrite -leqNgt.
    rewrite -[X in (X <= _)%N]card_ord -[k]card_ord -(card_codom goal_inj) subset_leq_card //.
    by apply/subsetP => i _; apply: all.
  have v0 : v = 0.
    apply/rowP => z; rewrite ord1 [RHS]mxE -[RHS](at_ i0) big1 ?add0r // => g _.
    by have [ig|_] := eqVneq i0 (goal g); rewrite ?mulr0 //; rewrite ig codom_f in i0P.
  have c0 : c = 0.
    apply/rowP => g; rewrite [RHS]mxE -[RHS](at_ (goal g)) v0 [X in _ + X]mxE addr0 (bigD1 g) //= eqxx mulr1.
    by rewrite big1 ?addr0 // => h /negPf hg; rewrite (inj_eq goal_inj) eq_sym hg mulr0.
  by rewrite c0 v0 row_mx0.
case: (ltnP k n) => [lt|nk]; first by rewrite (eqP (free lt)); apply/esym/minn_idPl; rewrite addn1.
have nk' : (n <= k + 1)%N by rewrite (leq_trans nk) // leq_addr.
apply/eqP; rewrite (minn_idPr nk') eqn_leq rank_leq_col /=.
have rI : \rank indicators = k.
  apply/eqP; rewrite -/(row_free indicators) -kermx_eq0; apply/eqP/row_matrixP => l; rewrite row0.
  have : row l (kermx indicators) *m indicators = 0 by rewrite -row_mul mulmx_ker row0.
  move: (row l _) => c e; apply/rowP => g; rewrite [RHS]mxE; have /rowP/(_ (goal g)) := e.
  rewrite !mxE (bigD1 g) //= !mxE eqxx mulr1 big1 ?addr0 // => h /negPf hg.
  by rewrite !mxE (inj_eq goal_inj) eq_sym hg mulr0.
rewrite (leq_trans nk) // -{1}rI; apply: mxrankS; rewrite /system.
by rewrite -(addsmxE indicators) addsmxSl.
Qed.

Lemma ones_occupancy : (const_mx 1 : 'rV_n) *m occupancy gamma P = (1 - gamma)^-1 *: const_mx 1.
Proof.
have g1 : 1 - gamma != 0 by rewrite subr_eq0 eq_sym lt_eqF.
symmetry; apply/(L1_test_functions gamma0 gamma1 (@ones01 F n) P0 P1 (const_mx 1) _) => g i.
rewrite !mxE (eq_bigr (fun j => P i j * (1 - gamma)^-1)) => [|j _]; last by rewrite !mxE mulr1.
by rewrite -mulr_suml P1 mul1r /ones !mulr1 -[X in X + gamma * _](mulfV g1) -mulrDl subrK mul1r.
Qed.

(** Part (c): with indicator goals in k of the n states, with termination on arrival, [M;1] has rank min(k + 1, n): n - 1 of them
    identify all stochastic rows, and fewer do not. *)
Theorem T3b_terminating_indicators_rank (M : 'M[F]_(k, n)) :
  tests_of gamma P (fun g => @ending F n (goal g)) indicators M -> \rank (system M) = minn (k + 1) n.
Proof.
move=> MR; rewrite -indicators_rank; have g1 : 1 - gamma != 0 by rewrite subr_eq0 eq_sym lt_eqF.
apply: (@scaled_rank (occupancy gamma P) (fun g => occupancy gamma P (goal g) (goal g)) M (1 - gamma)^-1).
- exact: occupancy_unit.
- by rewrite invr_eq0.
- exact: ones_occupancy.
by move=> g; apply: (renewal gamma0 gamma1 P0 P1 g _ _ MR); [apply: occupancy_unit | apply: occupancyE].
Qed.

(** Part (c) without termination: the same rank. *)
Theorem T3b_indicators_rank (M : 'M[F]_(k, n)) :
  tests_of gamma P (fun _ => @ones F n) indicators M -> \rank (system M) = minn (k + 1) n.
Proof.
move=> /(L1_test_functions gamma0 gamma1 (@ones01 F n) P0 P1) MR; rewrite -indicators_rank.
have g1 : 1 - gamma != 0 by rewrite subr_eq0 eq_sym lt_eqF.
apply: (@scaled_rank (occupancy gamma P) (fun _ => 1) M (1 - gamma)^-1).
- exact: occupancy_unit.
- by rewrite invr_eq0.
- exact: ones_occupancy.
move=> g; split; first exact: oner_neq0.
rewrite scale1r MR row_mul -/(occupancy gamma P) [LHS]rowE; congr (_ *m _).
by apply/rowP => i; rewrite !mxE eqxx.
Qed.
End SomeIndicators.
