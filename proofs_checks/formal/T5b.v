(* T5b: rows with at most N successors, it is not known which. The part on "almost every" reward, and the sharpness
   of 2N - 1 for every N (van Kampen and Flores), are not here. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base T3a.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section SparseRows.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)).
Implicit Types p q v : 'rV[F]_n.

(** If any 2N columns of [M;1] are independent, rows with at most N entries and the same values are equal. *)
Theorem T5b_sparse_rows_identified (N : nat) :
  (forall v, (#|support v| <= 2 * N)%N -> v *m (system M)^T = 0 -> v = 0) ->
  forall p q, (#|support p| <= N)%N -> (#|support q| <= N)%N ->
  p *m M^T = q *m M^T -> total p = total q -> p = q.
Proof.
move=> indep p q pN qN Mpq tpq; apply/eqP; rewrite -subr_eq0; apply/eqP/indep; last exact/system_diff.
rewrite mul2n -addnn; apply: leq_trans (leq_add pN qN); apply: leq_trans (leq_card_setU _ _).
apply/subset_leq_card/subsetP => i; rewrite !inE !mxE; apply: contraNT.
by rewrite negb_or !negbK => /andP[/eqP-> /eqP->]; rewrite subrr.
Qed.

Definition positive v : {set 'I_n} := [set i | 0 < v 0 i].

Lemma positive_rows v : v != 0 -> v *m (system M)^T = 0 ->
  exists p q, [/\ distribution p /\ distribution q, p != q, p *m M^T = q *m M^T,
    (#|support p| <= #|positive v|)%N & (#|support q| <= #|positive (- v)|)%N].
Proof.
move=> v0 vM; have [vMk vt] := iffLR (system0 M v) vM.
pose up i := Num.max (v 0 i) 0; pose down i := Num.max (- v 0 i) 0.
have up0 i : 0 <= up i by rewrite le_maxr lexx orbT.
have down0 i : 0 <= down i by rewrite le_maxr lexx orbT.
have diff i : up i - down i = v 0 i.
  rewrite /up /down; case: (lerP 0 (v 0 i)) => vi.
    by rewrite (max_idPr _) ?oppr_le0 // subr0.
  by rewrite (max_idPl _) ?oppr_ge0 ?ltW // opprK add0r.
pose s := \sum_i up i.
have s_down : \sum_i down i = s.
  apply/eqP; rewrite eq_sym -subr_eq0 -sumrB; apply/eqP; rewrite -[RHS]vt total_sum.
  by apply: eq_bigr => i _; rewrite diff.
have s0 : s != 0.
  apply: contraNneq v0 => s0; apply/eqP/rowP => i; rewrite mxE -diff.
  have zero (f : 'I_n -> F) : (forall j, 0 <= f j) -> \sum_j f j = 0 -> f i = 0.
    move=> f0 /eqP; rewrite psumr_eq0 // => /allP/(_ i); rewrite mem_index_enum => /(_ isT).
    by move/eqP.
  by rewrite (zero _ up0 s0) (zero _ down0) ?subrr // s_down.
have s_gt0 : 0 < s by rewrite lt_neqAle eq_sym s0 sumr_ge0.
have dist (f : 'I_n -> F) : (forall i, 0 <= f i) -> \sum_i f i = s -> distribution (\row_i (f i / s)).
  move=> f0 fs; split=> [i|]; first by rewrite mxE divr_ge0 // ltW.
  by rewrite total_sum (eq_bigr (fun i => f i / s)) => [|i _]; rewrite ?mxE // -mulr_suml fs mulfV.
exists (\row_i (up i / s)), (\row_i (down i / s)).
have pq : (\row_i (up i / s) : 'rV[F]_n) - \row_i (down i / s) = s^-1 *: v.
  by apply/rowP => i; rewrite !mxE -diff mulrBr ![s^-1 * _]mulrC.
split; first by split; apply: dist.
- by rewrite -subr_eq0 pq scaler_eq0 negb_or invr_eq0 s0.
- by apply/eqP; rewrite -subr_eq0 -mulmxBl pq -scalemxAl vMk scaler0.
- apply/subset_leq_card/subsetP => i; rewrite !inE mxE mulf_eq0 negb_or => /andP[up_i _].
  by move: up_i; rewrite /up; case: ltrP; rewrite ?eqxx.
- apply/subset_leq_card/subsetP => i; rewrite !inE !mxE mulf_eq0 negb_or => /andP[down_i _].
  by move: down_i; rewrite /down; case: ltrP; rewrite ?eqxx.
Qed.

(** All stochastic rows with at most N successors are told apart iff [M;1] has no null vector but 0 with at most N
    positive and at most N negative entries. *)
Theorem T5b_iff_no_balanced_null_vector (N : nat) :
  (forall p q, distribution p -> distribution q -> (#|support p| <= N)%N -> (#|support q| <= N)%N ->
    p *m M^T = q *m M^T -> p = q) <->
  (forall v, v *m (system M)^T = 0 -> (#|positive v| <= N)%N -> (#|positive (- v)| <= N)%N -> v = 0).
Proof.
split=> [all v vM pN nN | none p q [p0 p1] [q0 q1] pN qN Mpq].
  apply/eqP; case: eqP => // /eqP v0; have [p [q [[dp dq] pq Mpq sp sq]]] := positive_rows v0 vM.
  by move/eqP: pq; case; apply: all => //; [apply: leq_trans sp _ | apply: leq_trans sq _].
apply/eqP; rewrite -subr_eq0; apply/eqP/none; first by apply/system_diff; rewrite p1 q1.
  apply: leq_trans pN; apply/subset_leq_card/subsetP => i; rewrite !inE !mxE; apply: contraTneq => ->.
  by rewrite sub0r oppr_gt0 -leNgt.
apply: leq_trans qN; apply/subset_leq_card/subsetP => i; rewrite !inE !mxE opprB; apply: contraTneq => ->.
by rewrite sub0r oppr_gt0 -leNgt.
Qed.

(** N - 1 goals identify no row with N positive entries among rows with at most N successors, if n > N. *)
Theorem T5b_too_few_goals p : distribution p -> (k < #|support p|)%N -> (#|support p| < n)%N ->
  exists q, [/\ distribution q, q != p, q *m M^T = p *m M^T & (#|support q| <= #|support p|)%N].
Proof. exact: too_few_goals. Qed.
End SparseRows.

(** Sharp: for every N there are 2N columns of [M;1], any 2N - 1 of which are independent, and two different rows with N entries and the same values. *)
Theorem T5b_columns_sharp (F : realFieldType) N : (0 < N)%N -> exists M : 'M[F]_(N + N, N + N),
  (forall v : 'rV_(N + N), v *m (system M)^T = 0 -> (#|support v| < N + N)%N -> v = 0) /\
  exists p q : 'rV[F]_(N + N), [/\ distribution p /\ distribution q, (#|support p| <= N)%N /\ (#|support q| <= N)%N,
    p != q & p *m M^T = q *m M^T].
Proof.
move=> N0; pose v : 'rV[F]_(N + N) := row_mx (const_mx 1) (const_mx (-1)).
pose i0 : 'I_(N + N) := lshift N (Ordinal N0).
have vE i : v 0 i != 0 by rewrite /v mxE; case: (split i) => j; rewrite mxE ?oppr_eq0 oner_eq0.
have v0 : v 0 i0 = 1 by rewrite /v row_mxEl mxE.
pose M : 'M[F]_(N + N) := (1%:M - (delta_mx i0 0 : 'cV_(N + N)) *m v)^T.
have ME (w : 'rV_(N + N)) : w *m M^T = w - w 0 i0 *: v.
  rewrite trmxK mulmxBr mulmx1 mulmxA -colE; congr (_ - _).
  by apply/rowP => j; rewrite !mxE big_ord1 !mxE.
pose a : F := N%:R^-1; have n0 : N%:R != 0 :> F by rewrite pnatr_eq0 -lt0n.
have a0 : 0 <= a by rewrite invr_ge0 ler0n.
pose p : 'rV[F]_(N + N) := row_mx (const_mx a) 0; pose q : 'rV[F]_(N + N) := row_mx 0 (const_mx a).
have pE i : p 0 i = if (i < N)%N then a else 0.
  by rewrite /p mxE; case: (splitP i) => j e; rewrite mxE.
have qE i : q 0 i = if (i < N)%N then 0 else a.
  by rewrite /q mxE; case: (splitP i) => j e; rewrite mxE.
have sum_a : \sum_(i < N) a = 1 by rewrite sumr_const card_ord -[LHS]mulr_natl mulfV.
have pq : p - q = a *: v.
  by rewrite /p /q /v opp_row_mx add_row_mx scale_row_mx; congr row_mx; apply/rowP => i; rewrite !mxE;
    rewrite ?subr0 ?mulr1 ?mulrN1 ?sub0r.
exists M; split.
  move=> w /system0[wM _] few; move: wM; rewrite ME => /eqP; rewrite subr_eq0 => /eqP e.
  have [z|nz] := eqVneq (w 0 i0) 0; first by rewrite e z scale0r.
  suff full : support w = [set: 'I_(N + N)] by rewrite full cardsT card_ord ltnn in few.
  by apply/setP => i; rewrite !inE e mxE mulf_neq0.
exists p, q; split.
- split; split=> [i|]; rewrite ?pE ?qE; try by case: ifP.
    by rewrite total_sum big_split_ord /= -[RHS]addr0 -[X in _ = X + _]sum_a; congr (_ + _);
      [apply: eq_bigr | apply: big1] => i _; rewrite pE /= ?ltn_ord // ltnNge leq_addr.
  by rewrite total_sum big_split_ord /= -[RHS]add0r -[X in _ = _ + X]sum_a; congr (_ + _);
    [apply: big1 | apply: eq_bigr] => i _; rewrite qE /= ?ltn_ord // ltnNge leq_addr.
- have half (b : bool) : (#|[set i : 'I_(N + N) | (i < N)%N == b]| <= N)%N.
    pose f (j : 'I_N) : 'I_(N + N) := if b then lshift N j else rshift N j.
    rewrite -[X in (_ <= X)%N](card_ord N) -(card_imset _ (_ : injective f)); last first.
      by rewrite /f {f} => j j'; case: b => [/lshift_inj|/rshift_inj].
    apply: subset_leq_card; apply/subsetP => i; rewrite inE => ib; apply/imsetP.
    by case: (splitP i) ib => j e /eqP bE; exists j => //; rewrite /f -bE; apply: val_inj; rewrite /= e.
  split; first by apply: leq_trans (half true); apply: subset_leq_card; apply/subsetP => i; rewrite !inE pE; case: ifP; rewrite ?eqxx.
  by apply: leq_trans (half false); apply: subset_leq_card; apply/subsetP => i; rewrite !inE qE; case: ifP; rewrite ?eqxx.
- by rewrite -subr_eq0 pq scaler_eq0 invr_eq0 (negPf n0) /=; apply: contraTneq (vE i0) => ->; rewrite mxE eqxx.
by apply/eqP; rewrite -subr_eq0 -mulmxBl pq -scalemxAl ME v0 scale1r subrr scaler0.
Qed.
