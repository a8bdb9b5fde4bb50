(* L1: the test functions of one policy and one continuation, M = R + gamma C V, from the rewards. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Resolvent.
Variables (F : realFieldType) (k n : nat).
Variables (gamma : F) (C : 'I_n -> F) (P : 'M[F]_n).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1) (C01 : forall i, 0 <= C i <= 1).
Hypotheses (P0 : forall i j, 0 <= P i j) (P1 : forall i, \sum_j P i j = 1).

(* I - gamma D P, with D = diag C *)
Definition resolvent : 'M[F]_n := \matrix_(i, j) ((i == j)%:R - gamma * C i * P i j).

Lemma resolventE (m : nat) (A : 'M[F]_(m, n)) g i :
  (A *m resolvent^T) g i = A g i - gamma * C i * \sum_j P i j * A g j.
Proof.
rewrite !mxE (eq_bigr (fun j => (i == j)%:R * A g j - gamma * C i * (P i j * A g j))) => [|j _]; last first.
  by rewrite !mxE mulrC mulrBl !mulrA.
rewrite big_split /= sumrN -mulr_sumr (bigD1 i) //= eqxx mul1r big1 ?addr0 // => j ji.
by rewrite eq_sym (negPf ji) mul0r.
Qed.

(** The matrix I - gamma D P is invertible, at every discount below one. *)
Theorem L1_resolvent_invertible : resolvent \in unitmx.
Proof.
rewrite -row_full_unit /row_full; apply/eqP/null_space_trivial => v v0.
have fix_v i : v 0 i = gamma * C i * \sum_j P i j * v 0 j.
  by apply/eqP; rewrite -subr_eq0 -resolventE v0 mxE.
apply/rowP => j0; rewrite mxE.
case: (@Order.TotalTheory.arg_maxP _ _ _ j0 predT (fun i => `|v 0 i|) isT) => i _ top.
have le_top : `|\sum_j P i j * v 0 j| <= `|v 0 i|.
  apply: le_trans (ler_norm_sum _ _ _) _; rewrite -[X in _ <= X]mul1r -(P1 i) mulr_suml.
  apply: ler_sum => j _; rewrite normrM (ger0_norm (P0 i j)) ler_wpmul2l //.
  exact: top.
have shrinks : `|v 0 i| <= gamma * `|v 0 i|.
  rewrite {1}fix_v normrM normrM (ger0_norm gamma0) -mulrA ler_wpmul2l //.
  have /andP[c0 c1] := C01 i; rewrite ger0_norm // (le_trans _ le_top) //.
  by rewrite -[X in _ <= X]mul1r ler_wpmul2r.
have vi0 : v 0 i = 0.
  apply/eqP; rewrite -normr_le0 leNgt; apply: contraTN gamma1 => vi.
  by rewrite -leNgt -(ler_pmul2r vi) mul1r.
by apply/eqP; rewrite -normr_le0; move: (top j0 isT); rewrite /= vi0 normr0.
Qed.

Lemma test_functionsE (R M : 'M[F]_(k, n)) :
  (forall g i, M g i = R g i + gamma * C i * \sum_j P i j * M g j) <-> M *m resolvent^T = R.
Proof.
split=> [bellman | <- g i]; last by rewrite resolventE subrK.
by apply/matrixP => g i; rewrite resolventE {1}bellman addrK.
Qed.

(** The test functions solve m = r + gamma D P m, and this has exactly one solution, (I - gamma D P)^-1 r. *)
Theorem L1_test_functions (R M : 'M[F]_(k, n)) :
  (forall g i, M g i = R g i + gamma * C i * \sum_j P i j * M g j) <-> M = R *m (invmx resolvent)^T.
Proof.
rewrite test_functionsE; have unit : resolvent^T \in unitmx by rewrite unitmx_tr L1_resolvent_invertible.
by rewrite trmx_inv; split=> [<-|->]; rewrite ?mulmxK ?mulmxKV.
Qed.

(** For a fixed policy the map from rewards to test functions is a bijection. *)
Theorem L1_bijection : bijective (fun R : 'M[F]_(k, n) => R *m (invmx resolvent)^T).
Proof.
have unit : resolvent^T \in unitmx by rewrite unitmx_tr L1_resolvent_invertible.
by exists (fun M => M *m resolvent^T) => x; rewrite trmx_inv ?mulmxK ?mulmxKV.
Qed.
End Resolvent.

(** Whatever the value operator, the test functions of given values determine the rewards. *)
Theorem L1_rewards_determined (F : realFieldType) (k n : nat) (A : finType) (C : 'I_k -> 'I_n -> F) (gamma : F)
  (T : operator F k n A) (R R' : 'M[F]_(k, n)) Q : tests R C gamma T Q = tests R' C gamma T Q -> R = R'.
Proof. by move=> /matrixP e; apply/matrixP => g s; move: (e g s); rewrite !mxE => /addIr. Qed.

(** An agent that follows one policy for each goal: row g of M solves the linear system of the kernel under the policy. *)
Theorem L1_agent (F : realFieldType) (k n : nat) (A : finType) (R : 'M[F]_(k, n)) (C : 'I_k -> 'I_n -> F) (gamma : F)
  (policy : 'I_k -> 'I_n -> A -> F) (K : 'I_n -> A -> 'rV[F]_n) Q :
  let M := tests R C gamma (fun g s => under (policy g s)) Q in
  bellman R C gamma (fun g s => under (policy g s)) K Q ->
  forall g, row g M *m (resolvent gamma (C g) (\matrix_(i, j) \sum_a policy g i a * K i a 0 j))^T = row g R.
Proof.
move=> M b g; apply/test_functionsE => i s; rewrite ord1 /M !mxE; congr (_ + _ * _).
rewrite /under (eq_bigr (fun a => \sum_j policy g s a * K s a 0 j * M g j)) => [|a _]; last first.
  by rewrite b mxE mulr_sumr; apply: eq_bigr => j _; rewrite /M !mxE mulrA.
by rewrite exchange_big /=; apply: eq_bigr => j _; rewrite !mxE mulr_suml.
Qed.
