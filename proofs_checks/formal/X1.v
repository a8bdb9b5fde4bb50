(* X1: exceptional discounts of graphs; the witness on K_{3,3} at discount one half. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* 24 P[s,a,t] and 4 M[g,s] as natural numbers: sides are 0,1,2 and 3,4,5; action a < 3 moves to the a-th state of the other
   side, action 3 is noisy: one half stays, one half goes anywhere. In the second world one row of action 3, that of state 0,
   has moved one 24th per state from the second side to the first. *)
Definition side (s : nat) : bool := (s < 3)%N.
Definition kernel33 (moved : bool) (s a t : nat) : nat :=
  (if a < 3 then if t == (if side s then a + 3 else a) then 24 else 0
   else (if s == t then 12 else 0) + (if moved && (s == 0) then if side t then 3 else 1 else 2))%N.
Definition tests33 (g s : nat) : nat := (if g == s then 4 else if side g == side s then 1 else 2)%N.
Definition sum6 (f : nat -> nat) : nat := (f 0 + (f 1 + (f 2 + (f 3 + (f 4 + f 5)))))%N.
Definition value33 (moved : bool) (g s a : nat) : nat := sum6 (fun t => kernel33 moved s a t * tests33 g t)%N.
Definition best33 (g s : nat) : nat :=
  maxn (value33 false g s 0) (maxn (value33 false g s 1) (maxn (value33 false g s 2) (value33 false g s 3))).

Definition all6 (f : nat -> bool) : bool := [&& f 0, f 1, f 2, f 3, f 4 & f 5]%N.
Definition all4 (f : nat -> bool) : bool := [&& f 0, f 1, f 2 & f 3]%N.

Definition has4 (f : nat -> bool) : bool := [|| f 0, f 1, f 2 | f 3]%N.

Lemma all6P f (i : 'I_6) : all6 f -> f i.
Proof.
move=> /andP[h0 /andP[h1 /andP[h2 /andP[h3 /andP[h4 h5]]]]].
by case: i => [[|[|[|[|[|[|//]]]]]] lt].
Qed.
Lemma all4P f (i : 'I_4) : all4 f -> f i.
Proof. by move=> /andP[h0 /andP[h1 /andP[h2 h3]]]; case: i => [[|[|[|[|//]]]] lt]. Qed.
Lemma has4P f : has4 f -> exists i : 'I_4, f i.
Proof. by case/or4P => h; [exists (@Ordinal 4 0 isT) | exists (@Ordinal 4 1 isT) | exists (@Ordinal 4 2 isT) | exists (@Ordinal 4 3 isT)]. Qed.

(* the facts, by computation: rows sum to 24; values are the same in both worlds; M = R + C V / 2 with the best value *)
Lemma rows33 : all6 (fun s => all4 (fun a => (sum6 (kernel33 false s a) == 24) && (sum6 (kernel33 true s a) == 24)))%N.
Proof. by vm_compute. Qed.
Lemma same33 : all6 (fun g => all6 (fun s => all4 (fun a => value33 true g s a == value33 false g s a)))%N.
Proof. by vm_compute. Qed.
Lemma optimal33 :
  all6 (fun g => all6 (fun s => 48 * tests33 g s == if g == s then 192 else best33 g s))%N.
Proof. by vm_compute. Qed.
Lemma best33P : all6 (fun g => all6 (fun s => all4 (fun a => value33 false g s a <= best33 g s)%N
  && has4 (fun a => value33 false g s a == best33 g s))).
Proof. by vm_compute. Qed.

Section Witness.
Variable F : realFieldType.

(* the two worlds, the agents' values, and the indicator goals of all six states with termination on arrival *)
Definition K33 (moved : bool) (s : 'I_6) (a : 'I_4) : 'rV[F]_6 := \row_t ((kernel33 moved s a t)%:R / 24%:R).
Definition Q33 (g s : 'I_6) (a : 'I_4) : F := (value33 false g s a)%:R / 96%:R.
Definition R33 : 'M[F]_6 := 1%:M.
Definition C33 (g s : 'I_6) : F := (s != g)%:R.
Definition greedy (g s : 'I_6) : ('I_4 -> F) -> F := best ord0.

Lemma sum6E (f : nat -> nat) : \sum_(t < 6) ((f t)%:R : F) = (sum6 f)%:R.
Proof. by rewrite !big_ord_recl big_ord0 addr0 -!natrD. Qed.

Lemma K33_kernel moved : kernel (K33 moved).
Proof.
move=> s a; split=> [t|]; first by rewrite mxE divr_ge0 ?ler0n.
rewrite total_sum (eq_bigr (fun t : 'I_6 => (kernel33 moved s a t)%:R / 24%:R)) => [|t _]; last by rewrite mxE.
rewrite -mulr_suml sum6E; have /andP[/eqP f /eqP t] := all4P a (all6P s rows33).
by case: moved; rewrite ?f ?t mulfV // pnatr_eq0.
Qed.

Lemma greedyE g s : greedy g s (Q33 g s) = (best33 g s)%:R / 96%:R.
Proof.
have /andP[le /has4P[b /eqP e]] := all6P s (all6P g best33P).
apply: (@best_eq _ _ _ _ _ b) => [a|]; last by rewrite /Q33 e.
by rewrite ler_pmul2r ?invr_gt0 ?ltr0n // ler_nat; apply: (all4P a le).
Qed.

Lemma tests33E g s : tests R33 C33 2%:R^-1 greedy Q33 g s = (tests33 g s)%:R / 4%:R.
Proof.
rewrite !mxE greedyE /C33; have /eqP := all6P s (all6P g optimal33).
rewrite [s == g]eq_sym -[(g : nat) == s]/(g == s); have [->|gs] := eqVneq g s => e.
  by rewrite mulr0 mul0r addr0 /tests33 eqxx mulfV // pnatr_eq0.
rewrite mulr1 add0r -e natrM (natrM _ 48 2) invfM.
by rewrite mulrACA mulfV ?pnatr_eq0 // mul1r mulrCA -invfM -natrM.
Qed.

Lemma bellman33 moved : bellman R33 C33 2%:R^-1 greedy (K33 moved) Q33.
Proof.
move=> g s a; rewrite mxE (eq_bigr (fun t : 'I_6 => (kernel33 moved s a t * tests33 g t)%:R / 96%:R)) => [|t _]; last first.
  by rewrite mxE [_^T t g]mxE tests33E mulrACA -invfM -!natrM.
rewrite -mulr_suml (sum6E (fun t => kernel33 moved s a t * tests33 g t)%N) -[sum6 _]/(value33 moved g s a).
by congr (_%:R / _); have /eqP := all4P a (all6P s (all6P g same33)); case: moved.
Qed.

(** Two different stochastic kernels on the graph K_{3,3} with one noisy action, discount one half, every state an indicator goal
    with termination on arrival: the same values Q solve the Bellman optimality equations of both worlds, for all six goals. *)
Theorem X1_K33_witness :
  [/\ kernel (K33 false), kernel (K33 true), exists s a, K33 false s a != K33 true s a,
      bellman R33 C33 2%:R^-1 greedy (K33 false) Q33 & bellman R33 C33 2%:R^-1 greedy (K33 true) Q33].
Proof.
split; [exact: K33_kernel | exact: K33_kernel | | exact: bellman33 | exact: bellman33].
exists ord0, ord_max; apply/eqP => /rowP/(_ ord0); rewrite !mxE => /(congr1 ( *%R^~ 24%:R)).
by rewrite !divfK ?pnatr_eq0 // => /eqP; rewrite eqr_nat.
Qed.

(** No other values solve them: the optimal agents of the two worlds show the same, for all six goals. *)
Theorem X1_K33_optimal_agents_agree Q Q' : bellman R33 C33 2%:R^-1 greedy (K33 false) Q ->
  bellman R33 C33 2%:R^-1 greedy (K33 true) Q' -> forall g s a, Q g s a = Q' g s a.
Proof.
have half0 : 0 <= (2%:R^-1 : F) by rewrite invr_ge0 ler0n.
have half1 : (2%:R^-1 : F) < 1 by rewrite invf_lt1 ?ltr0n // ltr1n.
have C01 g s : 0 <= C33 g s <= 1 by rewrite /C33; case: eqP; rewrite ?lexx ?ler01.
have greedyN : nonexpansive greedy by move=> g s x y e; apply: best_nonexpansive.
move=> b b' g s a; have [k k' _ w w'] := X1_K33_witness.
by rewrite (bellman_unique half0 half1 C01 greedyN k b w) (bellman_unique half0 half1 C01 greedyN k' b' w').
Qed.
End Witness.

Section Distances.
Variables (F : realFieldType) (n : nat) (A : finType) (a0 : A) (next : 'I_n -> A -> 'I_n) (d : 'I_n -> 'I_n -> nat) (gamma : F).
Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1).
(* d g s is the number of moves from s to g: no move gains more than one, and some move gains one *)
Hypotheses (d0 : forall g s, (d g s == 0%N) = (g == s)) (no_jump : forall g s a, (d g s <= (d g (next s a)).+1)%N).
Hypothesis closer : forall g s, g != s -> exists a, d g s = (d g (next s a)).+1.

Lemma expr_decreasing i j : (i <= j)%N -> gamma ^+ j <= gamma ^+ i.
Proof.
move=> ij; rewrite -(subnK ij) exprD -[X in _ <= X]mul1r ler_wpmul2r ?exprn_ge0 //.
by rewrite exprn_ile1 // ltW.
Qed.

(** Where actions are moves and every state is an indicator goal with termination on arrival, M[g,s] = gamma^d(g,s): the values
    gamma^d(g,next) solve the Bellman optimality equations. *)
Theorem X1_distances_are_the_tests (M := \matrix_(g, s) gamma ^+ d g s : 'M[F]_n) (Q := fun g s a => gamma ^+ d g (next s a)) :
  tests 1%:M (fun g s => (s != g)%:R) gamma (fun g s => best a0) Q = M /\
  bellman 1%:M (fun g s => (s != g)%:R) gamma (fun g s => best a0) (fun s a => delta_mx 0 (next s a)) Q.
Proof.
have e : tests 1%:M (fun g s => (s != g)%:R) gamma (fun g s => best a0) Q = M.
  apply/matrixP => g s; rewrite !mxE [s == g]eq_sym; have [->|gs] := eqVneq g s.
    have /eqP-> : d s s == 0%N by rewrite d0.
    by rewrite mulr0 mul0r addr0 expr0.
  have [a da] := closer gs; rewrite (@best_eq _ _ _ _ (gamma ^+ d g (next s a)) a) //.
    by rewrite mulr1 add0r da exprS.
  by move=> b; apply: expr_decreasing; rewrite -ltnS -da no_jump.
split=> // g s a; rewrite e mxE (bigD1 (next s a)) //= big1 => [|t /negPf ts]; last by rewrite mxE ts andbF mul0r.
by rewrite !mxE !eqxx mul1r addr0.
Qed.
End Distances.

(** All discounts but finitely many are unexceptional: the matrix gamma^d(i,j) of any distances is singular only at the roots of
    one polynomial that is not zero. *)
Theorem X1_finitely_many_exceptional_discounts (F : fieldType) (n : nat) (d : 'I_n -> 'I_n -> nat) :
  (forall i j, (d i j == 0%N) = (i == j)) ->
  exists2 f : {poly F}, f != 0 & forall gamma, \det (\matrix_(i, j) gamma ^+ d i j : 'M[F]_n) = f.[gamma].
Proof.
move=> d0; pose Z : 'M[{poly F}]_n := \matrix_(i, j) 'X^(d i j).
have e gamma : \det (\matrix_(i, j) gamma ^+ d i j : 'M[F]_n) = (\det Z).[gamma].
  rewrite -horner_evalE -det_map_mx; congr (\det _); apply/matrixP => i j.
  by rewrite !mxE /= horner_evalE hornerXn.
exists (\det Z) => //; apply/eqP => z; have := e 0; rewrite z horner0.
rewrite (_ : \matrix_(i, j) _ = 1%:M) ?det1 => [/eqP|]; first by rewrite oner_eq0.
by apply/matrixP => i j; rewrite !mxE expr0n d0; case: eqP.
Qed.
