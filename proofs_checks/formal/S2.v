(* S2: all rows and all worlds with the given values. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Class.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)).
Implicit Types p q v : 'rV[F]_n.

(* E(q): the distributions with the values of p *)
Definition class p q := distribution q /\ q *m M^T = p *m M^T.

(** The class of a row is the slice of the simplex by the affine space p + null space of [M;1]. *)
Theorem S2_affine_slice p v : distribution p ->
  class p (p + v) <-> v *m (system M)^T = 0 /\ forall i, 0 <= p 0 i + v 0 i.
Proof.
move=> [p0 p1]; rewrite system0; split=> [[[pv0 pv1] Mpv] | [[Mv tv] pos]]; last first.
  by split; [split=> [i|]; rewrite ?mxE // totalD tv p1 addr0 | rewrite mulmxDl Mv addr0].
split=> [|i]; last by have := pv0 i; rewrite mxE.
split; first by apply: (addrI (p *m M^T)); rewrite -mulmxDl addr0.
by apply: (addrI (total p)); rewrite -totalD pv1 p1 addr0.
Qed.

(** The class of a row is convex. *)
Theorem S2_convex p q q' t : 0 <= t <= 1 -> class p q -> class p q' -> class p (t *: q + (1 - t) *: q').
Proof.
move=> /andP[t0 t1] [[q0 q1] Mq] [[q'0 q'1] Mq']; split.
  split=> [i|]; first by rewrite !mxE addr_ge0 // mulr_ge0 // subr_ge0.
  by rewrite totalD !totalZ q1 q'1 !mulr1 addrC subrK.
by rewrite mulmxDl -!scalemxAl Mq Mq' -scalerDl addrC subrK scale1r.
Qed.
End Class.

Section Worlds.
Variables (F : realFieldType) (k n : nat) (A : finType) (R : 'M[F]_(k, n)) (C : 'I_k -> 'I_n -> F) (gamma : F).
Variables (T : operator F k n A) (K K' : 'I_n -> A -> 'rV[F]_n).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1) (C01 : forall g s, 0 <= C g s <= 1).
Hypotheses (T_nonexpansive : nonexpansive T) (dK : kernel K) (dK' : kernel K').

(** The worlds with an agent's values are the product of the classes of their rows: two kernels have the same values, for
    every goal, iff their rows have the same values under M. For every nonexpansive value operator. *)
Theorem S2_worlds_are_a_product Q Q' : bellman R C gamma T K Q -> bellman R C gamma T K' Q' ->
  (forall g s a, Q' g s a = Q g s a) <->
  (forall s a, class (tests R C gamma T Q) (K s a) (K' s a)).
Proof.
move=> b b'; split=> [same s a | rows].
  split; first exact: dK'.
  have e : tests R C gamma T Q' = tests R C gamma T Q.
    apply/matrixP => g t; rewrite !mxE; congr (_ + _ * _); apply/eqP; rewrite -subr_eq0 -normr_le0.
    by apply: T_nonexpansive => c; rewrite same subrr normr0.
  by apply/rowP => g; rewrite -b -e -b' same.
apply: (bellman_unique gamma0 gamma1 C01 T_nonexpansive dK' b') => g s a.
by rewrite b -(proj2 (rows s a)).
Qed.

(** Noise: if the values are wrong by at most eps, the true row misses the noisy values by at most (1 + gamma) eps, so every
    bound over the rows that do contains the truth. For every nonexpansive value operator. *)
Theorem S2_bounds_contain_the_truth Q Qhat eps : bellman R C gamma T K Q ->
  (forall g s a, `|Qhat g s a - Q g s a| <= eps) ->
  forall g s a, `|(K s a *m (tests R C gamma T Qhat)^T) 0 g - Qhat g s a| <= (1 + gamma) * eps.
Proof.
move=> b close g s a.
rewrite (_ : _ - _ = ((K s a *m (tests R C gamma T Qhat)^T) 0 g - Q g s a) + (Q g s a - Qhat g s a)); last first.
  by rewrite addrA subrK.
rewrite (le_trans (ler_norm_add _ _)) // mulrDl mul1r addrC ler_add //; first by rewrite distrC.
by rewrite {1}b; apply: contraction.
Qed.
End Worlds.

(** The value operators in use are nonexpansive: a policy for each goal, and the maximum. *)
Theorem S2_operators_nonexpansive (F : realFieldType) (k n : nat) (A : finType) (a0 : A) :
  (forall policy : 'I_k -> 'I_n -> A -> F, (forall g s a, 0 <= policy g s a) -> (forall g s, \sum_a policy g s a = 1) ->
    nonexpansive (fun g s => under (policy g s))) /\
  nonexpansive (fun (g : 'I_k) (s : 'I_n) => @best F A a0).
Proof.
split=> [policy p0 p1 g s x y e close|g s x y e close]; first exact: under_nonexpansive.
exact: best_nonexpansive.
Qed.
