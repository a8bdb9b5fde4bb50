(* T5a: rows whose support is known. The parts on "almost every" reward are not here. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section KnownSupport.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)).
Implicit Types p q v : 'rV[F]_n.

(** A row on the states S is identified among the rows on S iff no direction on S leads from its face. *)
Theorem T5a_identified_iff_no_direction (S : {set 'I_n}) p :
  distribution p -> (forall i, i \notin S -> p 0 i = 0) ->
  identified_on M S p <-> ~ (exists v, direction M S p v).
Proof. exact: identified_iff_no_direction. Qed.

(** All rows on a set S of states are identified iff the columns of [M;1] on S are independent. *)
Theorem T5a_all_iff_independent (S : {set 'I_n}) : S != set0 ->
  (forall p, distribution p -> (forall i, i \notin S -> p 0 i = 0) -> identified_on M S p) <->
  (forall v, v *m (system M)^T = 0 -> (forall i, i \notin S -> v 0 i = 0) -> v = 0).
Proof.
move=> S0; split=> [all v vM vS | indep p dp pS]; last first.
  by apply/identified_iff_no_direction => // -[v [/eqP v0 vM vS _]]; apply/v0/indep.
have card0 : (#|S|%:R : F) != 0 by rewrite pnatr_eq0 cards_eq0.
pose p : 'rV[F]_n := \row_i (if i \in S then #|S|%:R^-1 else 0).
have pS i : i \notin S -> p 0 i = 0 by rewrite mxE => /negPf->.
have pos i : i \in S -> 0 < p 0 i by rewrite mxE => ->; rewrite invr_gt0 ltr0n card_gt0.
have dp : distribution p.
  split=> [i|]; first by case: (boolP (i \in S)) => [/pos/ltW|/pS->].
  rewrite total_sum (eq_bigr (fun i => if i \in S then #|S|%:R^-1 else 0)) => [|i _]; last by rewrite mxE.
  by rewrite -big_mkcond /= sumr_const -[LHS]mulr_natl mulfV.
apply/eqP; case: eqP => // /eqP v0; have := iffLR (identified_iff_no_direction M dp pS) (all p dp pS).
case; exists v; split=> // i pi; case: (boolP (i \in S)) => [/pos|/vS->//].
by rewrite pi ltxx.
Qed.

(** With N - 2 goals or fewer no row with N positive entries is identified, even if its support is known. *)
Theorem T5a_too_few_goals p : distribution p -> (k + 2 <= #|support p|)%N -> ~ identified_on M (support p) p.
Proof.
move=> dp wide; have pS i : i \notin support p -> p 0 i = 0 by rewrite inE negbK => /eqP.
rewrite identified_iff_no_direction // => none.
have [|v [v0 vM vT]] := @null_vector_on F k n M (support p); first by rewrite addn1 -addn2.
by case: none; exists v; split=> // i pi; rewrite vT // inE pi eqxx.
Qed.
End KnownSupport.
