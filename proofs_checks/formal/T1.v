(* T1: the closed form and the limit of gradient descent, row by row. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section ClosedForm.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)).

(* the four equations of Penrose: N is the pseudo-inverse of M *)
Definition penrose (N : 'M[F]_(n, k)) :=
  [/\ M *m N *m M = M, N *m M *m N = N, (M *m N)^T = M *m N & (N *m M)^T = N *m M].

Lemma gram_unit (m l : nat) (B : 'M[F]_(m, l)) : row_free B -> B *m B^T \in unitmx.
Proof.
move=> free; rewrite -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0.
have : row i (kermx (B *m B^T)) *m (B *m B^T) = 0 by rewrite -row_mul mulmx_ker row0.
set v := row i _ => e; have : square (v *m B) = 0.
  by rewrite /square /dot trmx_mul mulmxA -[v *m B *m _]mulmxA e mul0mx mxE.
by move/square_eq0/eqP; rewrite mulmx_free_eq0 // => /eqP.
Qed.

(** The pseudo-inverse exists. *)
Theorem T1_pseudo_inverse_exists : exists N, penrose N.
Proof.
have [r [C [B [freeB fullC CB]]]] : exists r (C : 'M_(k, r)) (B : 'M_(r, n)), [/\ row_free B, row_full C & C *m B = M].
  by exists (\rank M), (col_base M), (row_base M); rewrite row_base_free col_base_full mulmx_base.
have unitG : B *m B^T \in unitmx by apply: gram_unit.
have unitH : C^T *m C \in unitmx.
  rewrite -{2}[C]trmxK; apply: gram_unit; rewrite /row_free mxrank_tr.
  exact: fullC.
pose G := invmx (B *m B^T); pose H := invmx (C^T *m C); pose N := B^T *m G *m H *m C^T.
have GT : G^T = G by rewrite /G trmx_inv trmx_mul trmxK.
have HT : H^T = H by rewrite /H trmx_inv trmx_mul trmxK.
have MN : M *m N = C *m H *m C^T.
  by rewrite -CB /N !mulmxA -[C *m B *m B^T]mulmxA -[C *m (B *m B^T) *m G]mulmxA mulmxV // mulmx1.
have NM : N *m M = B^T *m G *m B.
  by rewrite -CB /N !mulmxA -[_ *m C^T *m C]mulmxA -[_ *m H *m (C^T *m C)]mulmxA mulVmx // mulmx1.
exists N; split.
- by rewrite MN -{1}CB !mulmxA -[_ *m C^T *m C]mulmxA -[C *m H *m _]mulmxA mulVmx // mulmx1 CB.
- by rewrite NM /N !mulmxA -[_ *m B *m B^T]mulmxA -[B^T *m G *m (_ *m _)]mulmxA mulVmx // mulmx1.
- by rewrite MN !trmx_mul trmxK HT mulmxA.
- by rewrite NM !trmx_mul trmxK GT mulmxA.
Qed.

Variables (N : 'M[F]_(n, k)) (q : 'rV[F]_k).
Hypothesis N_pseudo_inverse : penrose N.

(* P_inf = M^+ Q + (1 - M^+ M) P_0 *)
Definition limit (p0 : 'rV[F]_n) : 'rV[F]_n := q *m N^T + p0 *m (1%:M - N *m M).

(** The closed form solves the least squares problem: the normal equations hold. *)
Theorem T1_limit_solves p0 : limit p0 *m M^T *m M = q *m M.
Proof.
have [e _ s _] := N_pseudo_inverse; have MT : (1%:M - N *m M) *m M^T = 0.
  rewrite mulmxBl mul1mx; have [_ _ _ s'] := N_pseudo_inverse.
  by rewrite -{1}s' -trmx_mul mulmxA e subrr.
by rewrite mulmxDl -[p0 *m _ *m _]mulmxA MT mulmx0 addr0 -[q *m _ *m _]mulmxA -trmx_mul s -mulmxA e.
Qed.

Lemma drift p0 : exists w : 'rV_n, limit p0 - p0 = w *m (N *m M).
Proof.
have [_ e _ s] := N_pseudo_inverse; exists (q *m N^T - p0).
rewrite /limit mulmxBr mulmx1 addrCA addrAC subrr add0r mulmxBl; congr (_ - _).
by rewrite -s -mulmxA -trmx_mul e.
Qed.

(** The limit is the solution nearest to the start, in the 2-norm. *)
Theorem T1_limit_is_nearest p0 p : p *m M^T *m M = q *m M -> square (limit p0 - p0) <= square (p - p0).
Proof.
move=> sol; have [w dw] := drift p0; have [_ _ _ s] := N_pseudo_inverse.
have zero : (p - limit p0) *m M^T = 0.
  by apply: square_eq0; rewrite /square /dot trmx_mul trmxK mulmxA mulmxBl mulmxBl sol T1_limit_solves subrr mul0mx mxE.
have -> : p - p0 = (limit p0 - p0) + (p - limit p0) by rewrite [RHS]addrC addrA subrK.
rewrite [X in _ <= X]square1D (_ : dot _ (p - _) = 0) ?mul0rn ?addr0 ?ler_addl ?square_ge0 //.
by rewrite dotC /dot dw !trmx_mul !mulmxA zero !mul0mx mxE.
Qed.

(** The limit forgets the start iff M has rank n. *)
Theorem T1_unique_iff_full_rank : (forall p0 p0', limit p0 = limit p0') <-> \rank M = n.
Proof.
have [e _ _ s] := N_pseudo_inverse; split=> [same | full p0 p0'].
  apply/null_space_trivial => v Mv; have := same v 0; rewrite /limit mul0mx => /addrI.
  rewrite mulmxBr mulmx1 -s trmx_mul mulmxA Mv mul0mx subr0.
  by [].
congr (_ + _); apply/eqP; rewrite -subr_eq0 -mulmxBl; apply/eqP.
apply: (iffRL (null_space_trivial M) full); rewrite -mulmxA [(1%:M - _) *m _]mulmxBl mul1mx.
by rewrite -{1}s -trmx_mul mulmxA e subrr mulmx0.
Qed.

(* one step of gradient descent on half of |p M^T - q|^2 *)
Definition descend (eta : F) (p : 'rV[F]_n) : 'rV[F]_n := p - eta *: ((p *m M^T - q) *m M).

(** Gradient descent converges linearly to the closed form if the step is below 2 / L, where |y M|^2 <= L |y|^2 (the least such L
    is sigma_max^2). *)
Theorem T1_descent_converges (eta L : F) p0 : 0 < eta -> eta * L < 2%:R -> (forall y : 'rV_k, square (y *m M) <= L * square y) ->
  exists rho, 0 <= rho < 1 /\ forall t, square (iter t (descend eta) p0 - limit p0) <= rho ^+ t * square (p0 - limit p0).
Proof.
move=> eta0 etaL bound; have [e1 e2 s1 s2] := N_pseudo_inverse.
have [kappa kappa0 back] : exists2 kappa, 0 < kappa & forall y : 'rV_k, square (y *m N^T) <= kappa * square y.
  exists (1 + \sum_i square (row i N)) => [|y]; first by rewrite ltr_paddr ?ltr01 // sumr_ge0 // => i _; apply: square_ge0.
  rewrite mulrDl mul1r ler_paddl ?square_ge0 // squareE mulr_suml; apply: ler_sum => i _.
  rewrite mulrC (le_trans _ (cauchy_schwarz y (row i N))) // le_eqVlt; apply/orP; left; apply/eqP; congr (_ ^+ 2).
  by rewrite /dot !mxE; apply: eq_bigr => g _; rewrite !mxE.
pose c := eta * (2%:R - eta * L) / kappa; have c0 : 0 < c by rewrite divr_gt0 // mulr_gt0 // subr_gt0.
exists (Num.max 0 (1 - c)); split; first by rewrite le_maxr lexx /= lt_maxl ltr01 ltr_subl_addr ltr_addl.
set p_inf := limit p0; pose gap t := iter t (descend eta) p0 - p_inf.
have next t : gap t.+1 = gap t + (- eta) *: (gap t *m M^T *m M).
  rewrite /gap iterS /descend; set p := iter t _ _.
  rewrite addrAC scaleNr; congr (_ - _ *: _).
  by rewrite !mulmxBl -(T1_limit_solves p0).
have inside t : gap t *m (N *m M) = gap t.
  elim: t => [|t IH]; last by rewrite next mulmxDl IH -scalemxAl -[_ *m M *m _]mulmxA [M *m (N *m M)]mulmxA e1.
  rewrite /gap /=; have [w dw] := drift p0; have -> : p0 - p_inf = - (w *m (N *m M)) by rewrite -dw opprB.
  by rewrite mulNmx -!mulmxA [M *m (N *m M)]mulmxA e1.
elim=> [|t IH]; first by rewrite expr0 mul1r.
rewrite -/(gap t.+1) exprS -mulrA; apply: le_trans (_ : Num.max 0 (1 - c) * square (gap t) <= _); last first.
  by rewrite ler_wpmul2l // le_maxr lexx.
apply: le_trans (_ : (1 - c) * square (gap t) <= _); last by rewrite ler_wpmul2r ?square_ge0 // le_maxr lexx orbT.
set x := gap t *m M^T.
have shrink : square (gap t) <= kappa * square x.
  by apply: le_trans (back x); rewrite /x -mulmxA -trmx_mul s2 inside.
have dx : dot (gap t) (x *m M) = square x by rewrite /square /dot trmx_mul mulmxA.
rewrite next squareD dx sqrrN mulrBl mul1r -addrA ler_add2l.
apply: le_trans (_ : - (eta * (2%:R - eta * L)) * square x <= _); last first.
  have u0 : 0 <= eta * (2%:R - eta * L) by apply/ltW; rewrite mulr_gt0 // subr_gt0.
  by rewrite mulNr ler_opp2 /c mulrAC ler_pdivr_mulr // -[X in _ <= X]mulrA ler_wpmul2l // [square x * _]mulrC.
apply: le_trans (_ : - eta * square x *+ 2 + eta ^+ 2 * (L * square x) <= _); first by rewrite ler_add2l ler_wpmul2l ?sqr_ge0.
rewrite le_eqVlt; apply/orP; left; apply/eqP.
rewrite mulrBr opprB mulrBl addrC; congr (_ + _); first by rewrite expr2 !mulrA.
by rewrite mulNr mulNrn mulr_natr mulrnAl.
Qed.
End ClosedForm.
