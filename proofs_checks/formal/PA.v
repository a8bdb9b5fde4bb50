(* PA: what no policy and no advantage shows, the dual of reward shaping. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Advantages.
Variables (F : fieldType) (n : nat) (A : Type) (gamma : F) (T : 'I_n -> (A -> F) -> F).
Hypotheses (gamma0 : gamma != 0) (T_shift : forall s x c, T s (fun a => x a + c) = T s x + c).
Hypothesis T_ext : forall s x y, (forall a, x a = y a) -> T s x = T s y.
Variables (P P' : A -> 'M[F]_n) (G : 'M[F]_n) (r : 'cV[F]_n).
Hypotheses (G_unit : G \in unitmx) (common : forall a, 1%:M - gamma *: P' a = (1%:M - gamma *: P a) *m invmx G).

Definition q (K : A -> 'M[F]_n) (V : 'cV[F]_n) s a := (K a *m (r + gamma *: V)) s 0.
Definition solves (K : A -> 'M[F]_n) (V : 'cV[F]_n) := forall s, V s 0 = T s (q K V s).

(** If 1 - gamma P'_a = (1 - gamma P_a) G^-1 for all actions a, then, for every reward and every value operator with
    T (x + c) = T x + c (a policy, the maximum, the soft maximum), both worlds have the same advantages. *)
Theorem PA_advantages_hide V : solves P V ->
  exists V', solves P' V' /\ forall s a, q P' V' s a - V' s 0 = q P V s a - V s 0.
Proof.
move=> bellman; set m := r + gamma *: V; pose W : 'cV[F]_n := gamma^-1 *: (G *m m - m).
have m' : r + gamma *: (V + W) = G *m m.
  by rewrite /W scalerDr scalerA mulfV // scale1r addrA -/m addrCA subrr addr0.
have shift s a : q P' (V + W) s a = q P V s a + W s 0.
  have e : P' a *m (G *m m) = P a *m m + W.
    apply: (scalerI gamma0); rewrite scalerDr /W scalerA mulfV // scale1r.
    have := congr1 (fun X => X *m (G *m m)) (common a).
    rewrite mulmxBl mul1mx -scalemxAl -mulmxA mulKmx // mulmxBl mul1mx -scalemxAl => e.
    by rewrite -[X in _ + (X - _)](subrK (gamma *: (P' a *m (G *m m)))) e addrAC (addrAC m) subrr add0r addNKr.
  by rewrite /q m' e mxE.
exists (V + W); split=> [s|s a]; last by rewrite shift [(V + W) s 0]mxE opprD addrACA subrr addr0.
by rewrite mxE {1}bellman -T_shift; apply: T_ext => a; rewrite shift.
Qed.
End Advantages.

Section Family.
Variables (F : realFieldType) (n : nat) (A : Type) (gamma : F) (P P' : A -> 'M[F]_n) (a0 : A).
Hypotheses (gamma0 : 0 < gamma) (gamma1 : gamma < 1).
Hypotheses (P0 : forall a i j, 0 <= P a i j) (P1 : forall a, P a *m const_mx 1 = (const_mx 1 : 'cV_n)).
Hypotheses (P'0 : forall a i j, 0 <= P' a i j) (P'1 : forall a, P' a *m const_mx 1 = (const_mx 1 : 'cV_n)).

(* a stochastic matrix shrinks by the discount: x = gamma P x has no solution but 0 *)
Lemma no_fixed_vector (K : 'M[F]_n) (x : 'cV[F]_n) : (forall i j, 0 <= K i j) -> K *m const_mx 1 = (const_mx 1 : 'cV_n) ->
  x = gamma *: (K *m x) -> x = 0.
Proof.
move=> K0 K1 fix_x; apply/colP => j0; rewrite mxE.
case: (@Order.TotalTheory.arg_maxP _ _ _ j0 predT (fun i => `|x i 0|) isT) => i _ top.
have shrinks : `|x i 0| <= gamma * `|x i 0|.
  rewrite {1}fix_x !mxE normrM (gtr0_norm gamma0); apply: ler_wpmul2l; first exact: ltW.
  have drow : distribution (row i K).
    split=> [j|]; first by rewrite mxE.
    by have /colP/(_ i) := K1; rewrite /total !mxE => e; rewrite -[RHS]e; apply: eq_bigr => j _; rewrite !mxE.
  rewrite (eq_bigr (fun j => row i K 0 j * x j 0)) => [|j _]; last by rewrite mxE.
  by apply: average_le => // j; apply: top.
have xi0 : x i 0 = 0.
  apply/eqP; rewrite -normr_le0 leNgt; apply: contraTN gamma1 => xi.
  by rewrite -leNgt -(ler_pmul2r xi) mul1r.
by apply/eqP; rewrite -normr_le0; move: (top j0 isT); rewrite /= xi0 normr0.
Qed.

(** Conversely, with goals whose test functions M span all functions of the state: two worlds with the same advantages, for all
    these goals and all actions, have P'_a (I + gamma Y) = P_a + Y with one Y for all actions, Y 1 = 0 and I + gamma Y invertible. *)
Theorem PA_family_is_all (M V V' : 'M[F]_n) : M \in unitmx ->
  (forall a, P' a *m (M + gamma *: (V' - V)) - V' = P a *m M - V) ->
  exists Y, [/\ forall a, P' a *m (1%:M + gamma *: Y) = P a + Y, Y *m const_mx 1 = (0 : 'cV_n) & 1%:M + gamma *: Y \in unitmx].
Proof.
move=> unitM same; pose Y := (V' - V) *m invmx M.
have YM : Y *m M = V' - V by rewrite /Y mulmxKV.
have family a : P' a *m (1%:M + gamma *: Y) = P a + Y.
  apply: (can_inj (mulmxK unitM)); rewrite -mulmxA !mulmxDl mul1mx -scalemxAl YM.
  by rewrite -[LHS](subrK V') same -addrA [- V + _]addrC.
exists Y; split=> //.
  apply: (@no_fixed_vector (P' a0)) => //; have := congr1 (mulmx^~ (const_mx 1 : 'cV_n)) (family a0).
  rewrite -mulmxA !mulmxDl mul1mx -scalemxAl mulmxDr P1 P'1 -scalemxAr => /addrI.
  by move=> ->.
rewrite -row_full_unit /row_full; apply/eqP/null_space_trivial => v v0.
have {}v0 : (1%:M + gamma *: Y) *m v^T = 0 by rewrite -[LHS]trmxK trmx_mul trmxK v0 trmx0.
have := congr1 (mulmx^~ v^T) (family a0); rewrite -mulmxA v0 mulmx0 mulmxDl => PY.
have e : v^T = gamma *: (P a0 *m v^T).
  have /eqP := esym PY; rewrite addr_eq0 => /eqP->; rewrite scalerN; apply/eqP.
  by have /eqP := v0; rewrite mulmxDl mul1mx -scalemxAl addr_eq0.
by rewrite -[v]trmxK (no_fixed_vector (P0 a0) (P1 a0) e) trmx0.
Qed.

(** The family hides something: if Y = 1 c^T with the entries of c summing to zero, P' = P + (1 - gamma) 1 c^T solves it; so a
    world whose entries are all positive is never identified by advantages if there are two states or more. *)
Theorem PA_shift_is_in_the_family (c : 'rV[F]_n) (a : A) : total c = 0 ->
  let Y := (const_mx 1 : 'cV_n) *m c in (P a + (1 - gamma) *: Y) *m (1%:M + gamma *: Y) = P a + Y.
Proof.
move=> c0 Y; have cc : c *m (const_mx 1 : 'cV_n) = 0.
  by apply/matrixP => i j; rewrite !ord1 -/(total c) c0 mxE.
have YY : Y *m Y = 0 by rewrite /Y mulmxA -[_ *m c *m _]mulmxA cc mulmx0 mul0mx.
rewrite mulmxDr mulmx1 mulmxDl -!scalemxAr -!scalemxAl YY !scaler0 addr0 {2}/Y mulmxA P1 -/Y.
by rewrite -addrA -scalerDl subrK scale1r.
Qed.
End Family.
