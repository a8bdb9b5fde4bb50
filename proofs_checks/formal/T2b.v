(* T2b: matching columns under noise in a deterministic world, in the infinity norm over goals. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Matching.
Variables (F : realFieldType) (k n : nat) (A : finType) (R : 'M[F]_(k, n)) (C : 'I_k -> 'I_n -> F) (gamma : F).
Variables (T : operator F k n A) (next : 'I_n -> A -> 'I_n).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1) (C01 : forall g s, 0 <= C g s <= 1).
Hypothesis T_nonexpansive : nonexpansive T.

(* a deterministic world: the row of (s, a) is sure to lead to next s a *)
Definition deterministic (s : 'I_n) (a : A) : 'rV[F]_n := delta_mx 0 (next s a).

Lemma deterministicE (M : 'M[F]_(k, n)) g s a : (deterministic s a *m M^T) 0 g = M g (next s a).
Proof.
rewrite mxE (bigD1 (next s a)) //= big1 => [|i /negPf is0]; last by rewrite mxE is0 andbF mul0r.
by rewrite !mxE !eqxx mul1r addr0.
Qed.

(* |x - y| < |x - z| in the infinity norm over goals *)
Definition nearer (x y z : 'I_k -> F) := exists g, forall h, `|x h - y h| < `|x g - z g|.

Variables (Q Qhat : 'I_k -> 'I_n -> A -> F) (eps : F).
Hypotheses (b : bellman R C gamma T deterministic Q) (close : forall g s a, `|Qhat g s a - Q g s a| <= eps).
Let M := tests R C gamma T Q.
Let Mhat := tests R C gamma T Qhat.

Lemma tests_close : 0 <= eps -> forall g t, `|Mhat g t - M g t| <= gamma * eps.
Proof.
move=> e0 g t; rewrite !mxE opprD addrACA subrr add0r -mulrBr -mulrA normrM (ger0_norm gamma0) ler_wpmul2l // normrM.
have /andP[c0 c1] := C01 g t; rewrite (ger0_norm c0) -[X in _ <= X]mul1r ler_pmul //.
by apply: T_nonexpansive.
Qed.

Lemma own_column s a g : `|Qhat g s a - Mhat g (next s a)| <= (1 + gamma) * eps.
Proof.
have e0 : 0 <= eps by apply: le_trans (close g s a).
rewrite (_ : _ - _ = (Qhat g s a - Q g s a) + (M g (next s a) - Mhat g (next s a))); last first.
  by rewrite b deterministicE addrA subrK.
by rewrite (le_trans (ler_norm_add _ _)) // mulrDl mul1r ler_add // distrC tests_close.
Qed.

Definition separated (N : 'M[F]_(k, n)) := forall t t', t != t' -> exists g, (1 + gamma) * eps *+ 2 < `|N g t - N g t'|.

(** If any two columns of M are more than 2 (1 + gamma) eps apart and the values are wrong by at most eps, the column of the
    noisy M nearest to the noisy values of a row is that of its successor; for every nonexpansive value operator. *)
Theorem T2b_matching_is_right : separated M ->
  forall s a t, t != next s a -> nearer (fun g => Qhat g s a) (fun g => Mhat g (next s a)) (fun g => Mhat g t).
Proof.
move=> apart s a t /apart[g far]; exists g => h; apply: le_lt_trans (own_column s a h) _.
have e0 : 0 <= eps by apply: le_trans (close g s a).
rewrite -(ltr_add2r ((1 + gamma) * eps)) -mulr2n (lt_le_trans far) //.
rewrite (_ : M g t - _ = (M g t - Mhat g t) + (Mhat g t - Qhat g s a) + (Qhat g s a - Q g s a)); last first.
  by rewrite b deterministicE !addrA !subrK.
rewrite addrAC (le_trans (ler_norm_add _ _)) // addrC ler_add //; first by rewrite distrC.
rewrite (le_trans (ler_norm_add _ _)) // addrC mulrDl mul1r ler_add //.
by rewrite distrC tests_close.
Qed.

(** The same from what is seen: if the columns of the noisy M are more than 2 (1 + gamma) eps apart. *)
Theorem T2b_matching_is_right_a_posteriori : separated Mhat ->
  forall s a t, t != next s a -> nearer (fun g => Qhat g s a) (fun g => Mhat g (next s a)) (fun g => Mhat g t).
Proof.
move=> apart s a t /apart[g far]; exists g => h; apply: le_lt_trans (own_column s a h) _.
rewrite -(ltr_add2r ((1 + gamma) * eps)) -mulr2n (lt_le_trans far) //.
rewrite (_ : Mhat g t - _ = (Mhat g t - Qhat g s a) + (Qhat g s a - Mhat g (next s a))); last by rewrite addrA subrK.
by rewrite (le_trans (ler_norm_add _ _)) // ler_add ?own_column // distrC.
Qed.
End Matching.

(* Three states, all of which lead to the first; one goal, one action *)
Section Sharp.
Variables (F : realFieldType) (gamma eps : F).
Hypotheses (gamma0 : 0 <= gamma) (eps0 : 0 < eps).
Definition to_first (s : 'I_3) (a : unit) : 'I_3 := ord0.
Definition only (g : 'I_1) (s : 'I_3) (x : unit -> F) : F := x tt.
Definition radius : F := (1 + gamma) * eps *+ 2.
Definition rewards : 'M[F]_(1, 3) := \matrix_(g, s) (if (s == 0 :> nat)%N then 0 else if (s == 1 :> nat)%N then radius else - radius).
Definition true_values (g : 'I_1) (s : 'I_3) (a : unit) : F := 0.
Definition noisy_values (g : 'I_1) (s : 'I_3) (a : unit) : F := if (s == 2 :> nat)%N then eps else - eps.

Lemma true_tests : tests rewards (fun _ _ => 1) gamma only true_values = rewards.
Proof. by apply/matrixP => g s; rewrite mxE /only /true_values mulr0 addr0. Qed.

(** The radius is sharp: at every discount and noise there is an agent whose columns are 2 (1 + gamma) eps apart, not more, and values
    wrong by eps for which the successor's column is not the nearest. *)
Theorem T2b_radius_is_sharp :
  [/\ bellman rewards (fun _ _ => 1) gamma only (deterministic F to_first) true_values,
      forall g s a, `|noisy_values g s a - true_values g s a| <= eps,
      forall t t', t != t' -> exists g, radius <= `|tests rewards (fun _ _ => 1) gamma only true_values g t
                                                     - tests rewards (fun _ _ => 1) gamma only true_values g t'| &
      exists s a t, t != to_first s a /\ ~ nearer (fun g => noisy_values g s a)
        (fun g => tests rewards (fun _ _ => 1) gamma only noisy_values g (to_first s a))
        (fun g => tests rewards (fun _ _ => 1) gamma only noisy_values g t)].
Proof.
have r0 : 0 <= radius by rewrite mulrn_wge0 // mulr_ge0 ?addr_ge0 ?ler01 // ltW.
have rr : 0 <= radius + radius by apply: addr_ge0.
split.
- by move=> g s a; rewrite true_tests deterministicE mxE.
- by move=> g s a; rewrite /noisy_values subr0; case: ifP; rewrite ?normrN gtr0_norm.
- move=> t t' tt'; exists ord0; rewrite true_tests !mxE.
  case: t t' tt' => [[|[|[|//]]] lt] [[|[|[|//]]] lt'] //= _; rewrite ?sub0r ?subr0 ?opprK ?normrN ?(ger0_norm r0) //.
    by rewrite (ger0_norm rr) ler_addl.
  by rewrite -opprD normrN (ger0_norm rr) ler_addl.
have o1 : (1 < 3)%N by []. have o2 : (2 < 3)%N by [].
exists (Ordinal o2), tt, (Ordinal o1); split=> // -[g /(_ ord0)].
rewrite !mxE /only /noisy_values /= mulr1 add0r.
rewrite (_ : eps - (radius + _) = - (eps - gamma * - eps)) ?normrN ?ltxx //.
rewrite mulrN opprK opprB addrA /radius (_ : eps + gamma * eps = (1 + gamma) * eps); last by rewrite mulrDl mul1r.
by rewrite mulr2n opprD addrA subrr sub0r.
Qed.
End Sharp.
