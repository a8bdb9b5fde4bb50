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
