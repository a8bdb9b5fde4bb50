(* T2d: symmetry. Where a symmetry of the world fixes every goal, columns of M are equal, so deterministic rows are confused. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Symmetry.
Variables (F : realFieldType) (k n : nat) (A : finType) (R : 'M[F]_(k, n)) (C : 'I_k -> 'I_n -> F) (gamma : F).
Variables (T : operator F k n A) (K : 'I_n -> A -> 'rV[F]_n).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1) (C01 : forall g s, 0 <= C g s <= 1).
Hypotheses (T_nonexpansive : nonexpansive T) (dK : kernel K).
(* sigma moves states and alpha actions; the world, the goals and the value operator look the same after the move *)
Variables (sigma : 'I_n -> 'I_n) (alpha : 'I_n -> A -> A).
Hypotheses (sigma_inj : injective sigma) (K_same : forall s a t, K (sigma s) (alpha s a) 0 (sigma t) = K s a 0 t).
Hypotheses (R_same : forall g t, R g (sigma t) = R g t) (C_same : forall g t, C g (sigma t) = C g t).
Hypothesis T_same : forall g s x, T g (sigma s) x = T g s (fun a => x (alpha s a)).

(** If a symmetry of the world fixes every goal, the columns of M at a state and at its image are equal. *)
Theorem T2d_equal_columns Q : bellman R C gamma T K Q -> forall g t, tests R C gamma T Q g (sigma t) = tests R C gamma T Q g t.
Proof.
move=> b; pose Q' g s a := Q g (sigma s) (alpha s a).
have column g t : tests R C gamma T Q g (sigma t) = tests R C gamma T Q' g t.
  by rewrite !mxE R_same C_same T_same.
have b' : bellman R C gamma T K Q'.
  move=> g s a; rewrite /Q' b !mxE (reindex_inj sigma_inj) /=; apply: eq_bigr => t _.
  by rewrite K_same [LHS]mulrC [RHS]mulrC -[_^T t g]/(_^T t g) [X in X * _ = _]mxE column [X in _ = X * _]mxE.
have same := bellman_unique gamma0 gamma1 C01 T_nonexpansive dK b' b.
move=> g t; rewrite column !mxE; congr (_ + _ * _); apply/eqP; rewrite -subr_eq0 -normr_le0.
by apply: T_nonexpansive => a; rewrite same subrr normr0.
Qed.

(** So the two deterministic rows that lead to them have the same values for every goal. *)
Theorem T2d_rows_confused Q t : bellman R C gamma T K Q -> sigma t != t ->
  (delta_mx 0 t : 'rV[F]_n) *m (tests R C gamma T Q)^T = delta_mx 0 (sigma t) *m (tests R C gamma T Q)^T /\
  (delta_mx 0 t : 'rV[F]_n) != delta_mx 0 (sigma t).
Proof.
move=> b st; split; last first.
  apply: contraNneq st => /rowP/(_ t); rewrite !mxE !eqxx /= => /esym/eqP.
  by rewrite [sigma t == t]eq_sym; case: (t == sigma t) => //; rewrite /= mulr0n eq_sym oner_eq0.
by rewrite -!rowE; apply/rowP => g; rewrite ![row _ _ _ _]mxE ![_^T _ g]mxE (T2d_equal_columns b).
Qed.
End Symmetry.

(** For optimal agents the value operator looks the same if alpha permutes the actions. *)
Theorem T2d_maximum (F : realFieldType) (A : finType) (a0 : A) (alpha : A -> A) (x : A -> F) : injective alpha ->
  best a0 x = best a0 (fun a => x (alpha a)).
Proof.
move=> inj; have [a e] := best_attained a0 x; have [beta _ alphaK] := injF_bij inj.
apply/esym/(@best_eq _ _ _ _ _ (beta a)) => [c|]; last by rewrite alphaK.
exact: best_ge.
Qed.
