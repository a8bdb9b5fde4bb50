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

(** The family is more than the world itself: for Y = 1 c^T with the entries of c summing to zero, P' = P + (1 - gamma) 1 c^T belongs
    to it. *)
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

Section Never.
Variables (F : realFieldType) (n : nat) (A : finType) (a0 : A) (gamma : F) (P : A -> 'M[F]_n).
Hypotheses (gamma0 : 0 < gamma) (gamma1 : gamma < 1) (P_gt0 : forall a i j, 0 < P a i j).
Hypothesis P1 : forall a, P a *m const_mx 1 = (const_mx 1 : 'cV_n).

(** So policies and advantages, of all rewards, never identify a world whose entries are all positive, with two states or more: another
    kernel has the same advantages for every reward and every value operator with T (x + c) = T x + c. *)
Theorem PA_never_identifies : (1 < n)%N -> exists P' : A -> 'M[F]_n,
  [/\ forall a i j, 0 <= P' a i j, forall a, P' a *m const_mx 1 = (const_mx 1 : 'cV_n), forall a, P' a != P a &
      forall (T : 'I_n -> (A -> F) -> F) (r V : 'cV[F]_n), (forall s x c, T s (fun a => x a + c) = T s x + c) ->
        (forall s x y, (forall a, x a = y a) -> T s x = T s y) -> solves gamma T r P V ->
        exists V', solves gamma T r P' V' /\ forall s a, q gamma r P' V' s a - V' s 0 = q gamma r P V s a - V s 0].
Proof.
move=> n1; pose i0 := Ordinal (ltnW n1); pose i1 := Ordinal n1; have i01 : i1 != i0 by [].
case: (@Order.TotalTheory.arg_minP _ _ _ (a0, i0, i0) predT (fun i => P i.1.1 i.1.2 i.2) isT) => [[[a s] j]] _ /= least.
set t := P a s j in least; have t0 : 0 < t by apply: P_gt0.
pose c : 'rV[F]_n := t *: (delta_mx 0 i1 - delta_mx 0 i0).
have delta1 i : total (delta_mx 0 i : 'rV[F]_n) = 1.
  by rewrite total_sum (bigD1 i) //= big1 => [|l /negPf li]; rewrite mxE ?eqxx ?addr0 // li andbF.
have c0 : total c = 0 by rewrite totalZ totalB !delta1 subrr mulr0.
have cc : c *m (const_mx 1 : 'cV_n) = 0 by apply/matrixP => i l; rewrite !ord1 -/(total c) c0 mxE.
pose Y := (const_mx 1 : 'cV_n) *m c; have YY : Y *m Y = 0 by rewrite /Y mulmxA -[_ *m c *m _]mulmxA cc mulmx0 mul0mx.
pose G : 'M[F]_n := 1%:M + gamma *: Y.
have GG : G *m (1%:M - gamma *: Y) = 1%:M.
  by rewrite /G mulmxDl mul1mx mulmxBr mulmx1 -scalemxAl -scalemxAr YY !scaler0 subr0 subrK.
have unitG : G \in unitmx by have [] := mulmx1_unit GG.
have YE l m : Y l m = t * ((m == i1)%:R - (m == i0)%:R) by rewrite /Y mxE big_ord1 !mxE mul1r.
have g1 : 0 < 1 - gamma by rewrite subr_gt0.
exists (fun b => P b + (1 - gamma) *: Y); split=> [b l m|b|b|T r V shift ext sol].
- rewrite mxE [X in _ + X]mxE YE.
  have low : - t <= (1 - gamma) * (t * ((m == i1)%:R - (m == i0)%:R)).
    apply: le_trans (_ : (1 - gamma) * - t <= _).
      by rewrite mulrN ler_opp2 ler_pimull ?(ltW t0) // ler_subl_addr ler_addl ltW.
    rewrite ler_pmul2l // -[- t]mulrN1 ler_pmul2l //; case: (m == i1); case: (m == i0); rewrite ?subrr ?subr0 ?sub0r ?oppr_le0 ?ler01 //.
    by rewrite (le_trans _ ler01) // oppr_le0 ler01.
  by rewrite -(subrr t) ler_add //; apply: (least (b, l, m)).
- by rewrite mulmxDl P1 -scalemxAl /Y -mulmxA cc mulmx0 scaler0 addr0.
- rewrite -subr_eq0 addrAC subrr add0r scaler_eq0 gt_eqF //=; apply/eqP => /matrixP/(_ i0 i1).
  by rewrite YE eqxx (negPf i01) mxE subr0 mulr1 => /eqP; rewrite gt_eqF.
have common b : 1%:M - gamma *: (P b + (1 - gamma) *: Y) = (1%:M - gamma *: P b) *m invmx G.
  apply: (can_inj (mulmxK unitG)); rewrite mulmxKV // mulmxBl mul1mx -scalemxAl.
  by rewrite (@PA_shift_is_in_the_family F n A gamma P P1 c b c0) scalerDr /G [gamma *: P b + _]addrC addrKA.
exact: (PA_advantages_hide (lt0r_neq0 gamma0) shift ext unitG common sol).
Qed.
End Never.
