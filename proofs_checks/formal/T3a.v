(* T3a: stochastic rows among all distributions. The parts on "almost every" reward are not here. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(** Part (c) over any field: rows with the same values and the same sum are equal iff [M;1] has rank n. *)
Theorem T3a_affine (F : fieldType) (k n : nat) (M : 'M[F]_(k, n)) :
  (forall p q : 'rV_n, p *m M^T = q *m M^T -> total p = total q -> p = q) <-> \rank (system M) = n.
Proof.
rewrite -null_space_trivial; split => [inj v /system0[Mv tv] | inj p q Mpq tpq].
  by apply: inj; rewrite ?mul0mx // tv /total mul0mx mxE.
by apply/eqP; rewrite -subr_eq0; apply/eqP/inj/system_diff.
Qed.

Section Stochastic.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)).
Implicit Types p q u v : 'rV[F]_n.

(** Part (c): all stochastic rows are identified iff [M;1] has rank n. *)
Theorem T3a_all_identified_iff_full_rank : (0 < n)%N ->
  (forall p, distribution p -> identified M p) <-> \rank (system M) = n.
Proof.
move=> n0; rewrite -null_space_trivial; split=> [all v v0 | full p dp]; last first.
  apply/identified_iff => // -[v [v0 Mv _ _]].
  by rewrite (full v Mv) eqxx in v0.
have du := uniform_distribution F n0.
apply/eqP; case: eqP => // /eqP nz; have := all _ du; rewrite identified_iff // => none.
case: none; exists v; split=> // [i|i ui]; first by rewrite inE.
by have := uniform_gt0 F n0 i; rewrite ui ltxx.
Qed.

(** n - 2 goals or fewer never identify all stochastic rows, whatever the rewards. *)
Theorem T3a_fewer_goals_never : (k + 1 < n)%N -> ~ (forall p, distribution p -> identified M p).
Proof.
move=> kn all; have n0 : (0 < n)%N by apply: leq_ltn_trans kn.
have := iffLR (T3a_all_identified_iff_full_rank n0) all.
by move/eqP; rewrite eqn_leq => /andP[_]; rewrite leqNgt (leq_ltn_trans (rank_leq_row _)).
Qed.

(** Part (d): with k goals no row with k + 2 or more positive entries is identified, whatever the rewards. *)
Theorem T3a_wide_rows_never p : distribution p -> (k + 2 <= #|support p|)%N -> ~ identified M p.
Proof.
move=> dp wide; rewrite identified_iff // => none.
have [|v [v0 vM vT]] := @null_vector_on F k n M (support p); first by rewrite addn1 -addn2.
case: none; exists v; split=> // [i|i pi]; first by rewrite inE.
by rewrite vT // inE pi eqxx.
Qed.

(* the engine of the sharp form, and of T5b *)
Lemma too_few_goals p : distribution p -> (k < #|support p|)%N -> (#|support p| < n)%N ->
  exists q, [/\ distribution q, q != p, q *m M^T = p *m M^T & (#|support q| <= #|support p|)%N].
Proof.
set T := support p => -[p0 p1] kT Tn.
have [c cT] : exists c, c \notin T.
  apply/existsP; rewrite -negb_forall; apply: contraTN Tn => /forallP all.
  by rewrite -leqNgt -[X in (X <= _)%N]card_ord -cardsT subset_leq_card //; apply/subsetP.
have pos i : i \in T -> 0 < p 0 i by rewrite inE lt_neqAle p0 eq_sym andbT.
have [|u [u0 uM uT]] := @null_vector_on F k n M (c |: T); first by rewrite cardsU1 cT addnC ltnS.
(* the sign for which v_c >= 0 *)
have [v [v0 vM vT vc]] : exists v, [/\ v != 0, v *m (system M)^T = 0, forall i, i \notin c |: T -> v 0 i = 0 & 0 <= v 0 c].
  case: (lerP 0 (u 0 c)) => uc; first by exists u.
  exists (- u); split=> [||i iT|]; rewrite ?oppr_eq0 ?mulNmx ?uM ?oppr0 //.
    by rewrite mxE uT // oppr0.
  by rewrite mxE oppr_ge0 ltW.
have [vMk vt] := iffLR (system0 M v) vM.
have vout i : i \notin T -> 0 <= v 0 i.
  move=> iT; case: (eqVneq i c) => [->//|ic]; rewrite vT //.
  by rewrite in_setU1 negb_or ic.
have [j vj] := negative_entry v0 vt.
pose ratio i := p 0 i / - v 0 i.
case: (@Order.TotalTheory.arg_minP _ _ _ j [pred i | v 0 i < 0] ratio vj) => j' /= vj' least.
set t := ratio j'.
have j'T : j' \in T by apply: contraLR vj' => /vout; rewrite -leNgt.
have t0 : 0 < t by rewrite divr_gt0 ?oppr_gt0 ?pos.
have qj' : (p + t *: v) 0 j' = 0.
  by rewrite !mxE /t /ratio invrN mulrN mulNr -mulrA mulVf ?lt_eqF // mulr1 subrr.
exists (p + t *: v); split.
- split=> [i|]; last by rewrite totalD totalZ vt mulr0 addr0.
  rewrite !mxE; case: (lerP 0 (v 0 i)) => vi; first by rewrite addr_ge0 // mulr_ge0 // ltW.
  by rewrite -ler_subl_addr sub0r -mulrN -ler_pdivl_mulr ?oppr_gt0 // least.
- by rewrite -subr_eq0 addrAC subrr add0r scaler_eq0 negb_or v0 gt_eqF.
- by rewrite mulmxDl -scalemxAl vMk scaler0 addr0.
rewrite -ltnS; apply: leq_trans (_ : #|c |: T| <= _)%N; last by rewrite cardsU1 cT.
rewrite (cardsD1 j' (c |: T)) in_setU1 j'T orbT ltnS subset_leq_card //.
apply/subsetP => i; rewrite !inE => qi; rewrite (contraNneq _ qi) => [|->]; last by rewrite qj'.
rewrite /=; apply: contraNT qi; rewrite negb_or => /andP[ic iT].
have iT' : i \notin c |: T by rewrite in_setU1 negb_or ic inE iT.
by rewrite !mxE vT // mulr0 addr0; move: iT; rewrite negbK.
Qed.

(** Part (d), sharp: if n >= k + 2 no row with k + 1 or more positive entries is identified, whatever the rewards. *)
Theorem T3a_sharp p : distribution p -> (k < #|support p|)%N -> (k + 2 <= n)%N -> ~ identified M p.
Proof.
move=> dp kT kn id; case: (ltngtP #|support p| n) => [Tn|nT|Tn].
- have [q [dq qp Mq _]] := too_few_goals dp kT Tn.
  by move/eqP: qp; apply; apply: id => // i; rewrite inE.
- by move: nT; rewrite ltnNge (leq_trans (max_card _)) // card_ord.
- by apply: (T3a_wide_rows_never dp _ id); rewrite Tn.
Qed.
End Stochastic.
