(* T3d: how far noise moves recovered rows; the infinity norm, and the 2-norm in the simplex. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base S2.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** Least squares in the simplex: if phat fits the values at least as well as every distribution and M stretches every vector
    that sums to zero by sigma or more, phat is off by at most the misfit of the true row, over sigma (2-norms, squared). *)
Theorem T3d_projection (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)) (values : 'rV[F]_k) (sigma2 : F) (p phat : 'rV[F]_n) :
  (forall v : 'rV_n, total v = 0 -> sigma2 * square v <= square (v *m M^T)) -> distribution p -> distribution phat ->
  (forall q : 'rV_n, distribution q -> square (phat *m M^T - values) <= square (q *m M^T - values)) ->
  sigma2 * square (phat - p) <= square (p *m M^T - values).
Proof.
move=> stretch dp dphat best; set r := phat *m M^T - values; set d := (p - phat) *m M^T.
have pr : p *m M^T - values = r + d by rewrite /r /d mulmxBl [RHS]addrC addrA subrK.
have flip : square (phat - p) = square (p - phat).
  by rewrite !squareE; apply: eq_bigr => i _; rewrite !mxE -sqrrN opprB.
rewrite flip (le_trans (stretch _ _)) ?totalB ?(proj2 dp) ?(proj2 dphat) ?subrr // -/d pr square1D.
suff rd : 0 <= dot r d by rewrite ler_addr addr_ge0 ?square_ge0 // mulrn_wge0.
have d0 := square_ge0 d; rewrite leNgt; apply/negP => neg.
have den : 0 < square d - dot r d by rewrite subr_gt0 (lt_le_trans neg).
pose t := - dot r d / (square d - dot r d).
have t0 : 0 < t by rewrite divr_gt0 ?oppr_gt0.
have t1 : t <= 1 by rewrite ler_pdivr_mulr // mul1r ler_addr.
have dq : distribution (phat + t *: (p - phat)).
  split=> [i|]; last by rewrite totalD totalZ totalB (proj2 dp) (proj2 dphat) subrr mulr0 addr0.
  rewrite !mxE mulrBr addrCA -[X in X - _]mul1r -mulrBl addr_ge0 //; first by rewrite mulr_ge0 ?(proj1 dp) ?ltW.
  by rewrite mulr_ge0 ?(proj1 dphat) ?subr_ge0.
have := best _ dq; rewrite mulmxDl -scalemxAl -/d addrAC -/r squareD -addrA ler_addl.
rewrite expr2 -mulrA -mulrnAr -mulrDr pmulr_rge0 // leNgt => /negP; apply.
have small : t * square d <= - dot r d.
  have ar : 0 <= - dot r d by rewrite oppr_ge0 ltW.
  by rewrite /t mulrAC ler_pdivr_mulr // ler_wpmul2l // ler_addl.
apply: le_lt_trans neg; rewrite mulr2n -addrA ger_addl addrC -ler_subr_addr sub0r.
exact: small.
Qed.

Section Noise.
Variables (F : realFieldType) (k n : nat) (A : finType) (R : 'M[F]_(k, n)) (C : 'I_k -> 'I_n -> F) (gamma : F).
Variables (T : operator F k n A) (K : 'I_n -> A -> 'rV[F]_n).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1) (C01 : forall g s, 0 <= C g s <= 1).
Hypotheses (T_nonexpansive : nonexpansive T) (dK : kernel K).
Variables (Q Qhat : 'I_k -> 'I_n -> A -> F) (eps : F).
Hypotheses (b : bellman R C gamma T K Q) (close : forall g s a, `|Qhat g s a - Q g s a| <= eps).
Let Mhat := tests R C gamma T Qhat.

(* the noisy values of a row *)
Definition seen (s : 'I_n) (a : A) : 'rV[F]_k := \row_g Qhat g s a.

Lemma misfit s a g : `|(seen s a - K s a *m Mhat^T) 0 g| <= (1 + gamma) * eps.
Proof.
rewrite mxE [X in X + _]mxE [X in _ + X]mxE distrC.
exact: (S2_bounds_contain_the_truth gamma0 C01 T_nonexpansive dK b close).
Qed.

(** The closed form, infinity norm: with a left inverse L of the noisy M whose rows have absolute sums of at most c, every entry of
    a recovered row is off by at most c (1 + gamma) eps; for every nonexpansive value operator. *)
Theorem T3d_closed_form (L : 'M[F]_(n, k)) (c : F) : L *m Mhat = 1%:M -> (forall i, \sum_g `|L i g| <= c) ->
  forall s a i, `|(seen s a *m L^T - K s a) 0 i| <= c * ((1 + gamma) * eps).
Proof.
move=> LM rows s a i; have -> : seen s a *m L^T - K s a = (seen s a - K s a *m Mhat^T) *m L^T.
  by rewrite mulmxBl -mulmxA -trmx_mul LM trmx1 mulmx1.
rewrite mxE; apply: le_trans (ler_norm_sum _ _ _) _.
apply: le_trans (_ : \sum_g ((1 + gamma) * eps) * `|L i g| <= _).
  by apply: ler_sum => g _; rewrite normrM [L^T _ _]mxE ler_wpmul2r // misfit.
rewrite -mulr_sumr mulrC; have [g _ | none] := pickP (fun _ : 'I_k => true).
  by rewrite ler_wpmul2r // (le_trans _ (misfit s a g)).
by have /matrixP/(_ i i)/eqP := LM; rewrite !mxE big_pred0 // eqxx eq_sym oner_eq0.
Qed.

(** Least squares in the simplex, 2-norm: with entries wrong by at most eps, sigma^2 |phat - p|^2 <= k ((1 + gamma) eps)^2, where the
    noisy M stretches vectors that sum to zero by sigma or more; for every nonexpansive value operator. *)
Theorem T3d_simplex_least_squares (sigma2 : F) s a (phat : 'rV[F]_n) :
  (forall v : 'rV_n, total v = 0 -> sigma2 * square v <= square (v *m Mhat^T)) -> distribution phat ->
  (forall p : 'rV_n, distribution p -> square (phat *m Mhat^T - seen s a) <= square (p *m Mhat^T - seen s a)) ->
  sigma2 * square (phat - K s a) <= ((1 + gamma) * eps) ^+ 2 *+ k.
Proof.
move=> stretch dphat best; apply: le_trans (T3d_projection stretch (dK s a) dphat best) _.
rewrite squareE; apply: le_trans (_ : \sum_(g < k) ((1 + gamma) * eps) ^+ 2 <= _); last by rewrite sumr_const card_ord.
apply: ler_sum => g _; rewrite -real_normK ?num_real // ler_expn2r ?nnegrE ?normr_ge0 //.
  exact: le_trans (normr_ge0 _) (misfit s a g).
by rewrite (le_trans _ (misfit s a g)) // -opprB mxE normrN.
Qed.
End Noise.
