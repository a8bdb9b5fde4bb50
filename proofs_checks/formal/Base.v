(* What the statements share. Rows of a kernel are row vectors p : 'rV_n; goals are rows of the test matrix
   M : 'M_(k, n); the values of a row are p *m M^T : 'rV_k. *)
From mathcomp Require Import all_ssreflect all_algebra.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section OverAField.
Variables (F : fieldType) (k n : nat) (M : 'M[F]_(k, n)).

(* the sum of the entries of a row *)
Definition total (p : 'rV[F]_n) : F := (p *m (const_mx 1 : 'cV_n)) 0 0.
(* [M;1]: M with a row of ones below it *)
Definition system : 'M[F]_(k + 1, n) := col_mx M (const_mx 1).

Lemma total_sum p : total p = \sum_i p 0 i.
Proof. by rewrite /total mxE; apply: eq_bigr => i _; rewrite mxE mulr1. Qed.

Lemma totalD p q : total (p + q) = total p + total q.
Proof. by rewrite /total mulmxDl mxE. Qed.

Lemma totalZ (t : F) p : total (t *: p) = t * total p.
Proof. by rewrite /total -scalemxAl mxE. Qed.

Lemma totalB p q : total (p - q) = total p - total q.
Proof. by rewrite totalD -scaleN1r totalZ mulN1r. Qed.

(* v is in the null space of [M;1] iff M v = 0 and the entries of v sum to zero *)
Lemma system0 (v : 'rV[F]_n) : v *m system^T = 0 <-> v *m M^T = 0 /\ total v = 0.
Proof.
rewrite /system tr_col_mx mul_mx_row trmx_const; split => [e|[-> t0]].
  have [Mv v1] : v *m M^T = 0 /\ v *m const_mx 1 = (0 : 'rV_1) by apply: eq_row_mx; rewrite e row_mx0.
  by split=> //; rewrite /total v1 mxE.
rewrite (_ : v *m const_mx 1 = 0) ?row_mx0 //.
by apply/matrixP => i j; rewrite !ord1 -/(total v) t0 mxE.
Qed.

Lemma system_diff (p q : 'rV[F]_n) :
  (p - q) *m system^T = 0 <-> p *m M^T = q *m M^T /\ total p = total q.
Proof.
rewrite system0 mulmxBl totalB; split=> -[a b]; last by rewrite a b !subrr.
by split; apply/eqP; rewrite -subr_eq0 ?a ?b.
Qed.

Lemma null_space_trivial (m : nat) (A : 'M[F]_(m, n)) :
  (forall v : 'rV_n, v *m A^T = 0 -> v = 0) <-> \rank A = n.
Proof.
rewrite -mxrank_tr; split => [inj | /eqP full v /eqP].
  apply/eqP; rewrite -/(row_free A^T) -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0.
  by apply: inj; rewrite -row_mul mulmx_ker row0.
by rewrite mulmx_free_eq0 // => /eqP.
Qed.

(* the states that a row reaches *)
Definition support (p : 'rV[F]_n) : {set 'I_n} := [set i | p 0 i != 0].

Lemma null_vector (m : nat) (A : 'M[F]_(m, n)) : (m < n)%N -> exists2 v : 'rV_n, v != 0 & v *m A^T = 0.
Proof.
move=> mn; have : kermx A^T != 0.
  rewrite kermx_eq0 /row_free neq_ltn; apply/orP; left.
  by apply: leq_ltn_trans (rank_leq_col _) _.
by case/rowV0Pn => v /sub_kermxP; exists v.
Qed.

(* fewer equations than columns: a null vector on them *)
Lemma null_vector_on (T : {set 'I_n}) : (k + 1 < #|T|)%N ->
  exists v : 'rV_n, [/\ v != 0, v *m system^T = 0 & forall i, i \notin T -> v 0 i = 0].
Proof.
move=> kT; pose E : 'M[F]_(#|T|, n) := \matrix_(i, j) (enum_val i == j)%:R.
have EE : E *m E^T = 1%:M.
  apply/matrixP => i j; rewrite !mxE (bigD1 (enum_val i)) //= !mxE eqxx mul1r big1 => [|l li].
    by rewrite addr0 (inj_eq enum_val_inj) eq_sym.
  by rewrite !mxE eq_sym (negPf li) mul0r.
have : kermx (E *m system^T) != 0.
  rewrite kermx_eq0 /row_free neq_ltn; apply/orP; left.
  by apply: leq_ltn_trans (rank_leq_col _) _.
case/rowV0Pn => w /sub_kermxP Ew w0; exists (w *m E); split=> [||i iT].
- by apply: contraNneq w0 => wE; rewrite -[w]mulmx1 -EE mulmxA wE mul0mx.
- by rewrite -mulmxA.
rewrite mxE big1 // => l _; rewrite !mxE; case: eqP => [il|]; last by rewrite mulr0.
by move: (enum_valP l); rewrite il (negPf iT).
Qed.
End OverAField.

Section Distributions.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)).
Implicit Types p q v : 'rV[F]_n.

Definition distribution p := (forall i, 0 <= p 0 i) /\ total p = 1.

(* p is the only distribution on the states S with its values *)
Definition identified_on (S : {set 'I_n}) p :=
  forall q, distribution q -> (forall i, i \notin S -> q 0 i = 0) -> q *m M^T = p *m M^T -> q = p.
(* the class Stochastic *)
Definition identified := identified_on [set: 'I_n].

(* v leads from the face of p to other distributions on S *)
Definition direction (S : {set 'I_n}) p v :=
  [/\ v != 0, v *m (system M)^T = 0, forall i, i \notin S -> v 0 i = 0 & forall i, p 0 i = 0 -> 0 <= v 0 i].

Lemma bigmin_le (s : seq 'I_n) (f : 'I_n -> F) j : j \in s -> \big[Num.min/(1 : F)]_(i <- s) f i <= f j.
Proof.
elim: s => //= a s IH; rewrite inE big_cons le_minl => /orP[/eqP->|/IH->]; last by rewrite orbT.
by rewrite lexx.
Qed.

(* some t > 0 keeps p + t v nonnegative *)
Lemma step p v : (forall i, 0 <= p 0 i) -> (forall i, p 0 i = 0 -> 0 <= v 0 i) ->
  exists2 t, 0 < t & forall i, 0 <= (p + t *: v) 0 i.
Proof.
move=> p0 out; pose room i : F := if p 0 i == 0 then 1 else p 0 i / (1 + `|v 0 i|).
have den i : 0 < 1 + `|v 0 i| by rewrite ltr_paddr.
have pos i : 0 < room i.
  rewrite /room; case: (eqVneq (p 0 i) 0) => [_|pi]; first exact: ltr01.
  by rewrite divr_gt0 // lt_neqAle eq_sym pi p0.
pose t := \big[Num.min/(1 : F)]_i room i.
have t0 : 0 < t.
  rewrite /t; elim/big_ind: _ => [|x y x0 y0|i _]; [exact: ltr01 | by rewrite lt_minr x0 | exact: pos].
exists t => // i; rewrite !mxE; case: (eqVneq (p 0 i) 0) => [pi | pi].
  by rewrite pi add0r mulr_ge0 ?out // ltW.
have ti : t <= room i by apply: bigmin_le; rewrite mem_index_enum.
have small : t * `|v 0 i| <= p 0 i.
  apply: le_trans (_ : t * (1 + `|v 0 i|) <= _); first by rewrite ler_pmul2l // ler_addr.
  by rewrite -ler_pdivl_mulr // (le_trans ti) // /room (negPf pi).
rewrite -ler_subl_addr sub0r (le_trans _ small) // -mulrN ler_pmul2l //.
by rewrite -normrN ler_norm.
Qed.

(* a distribution on S is identified iff no direction leads from its face *)
Lemma identified_iff_no_direction (S : {set 'I_n}) p :
  distribution p -> (forall i, i \notin S -> p 0 i = 0) ->
  identified_on S p <-> ~ (exists v, direction S p v).
Proof.
move=> [p0 p1] pS; split=> [idp [v [v0 /system0[Mv tv] vS out]] | none q [q0 q1] qS Mqp].
  have [t t0 pos] := step p0 out.
  have : p + t *: v = p.
    apply: idp => [|i iS|]; first by split=> //; rewrite totalD totalZ tv mulr0 addr0.
      by rewrite !mxE pS // vS // mulr0 addr0.
    by rewrite mulmxDl -scalemxAl Mv scaler0 addr0.
  move/eqP; rewrite -subr_eq0 addrAC subrr add0r scaler_eq0 (negPf v0) orbF.
  by rewrite (gt_eqF t0).
case: (eqVneq q p) => // qp; case: none; exists (q - p); split=> [||i iS|i pi].
- by rewrite subr_eq0.
- by apply/system_diff; rewrite Mqp q1 p1.
- by rewrite !mxE qS // pS // subrr.
- by rewrite !mxE pi subr0.
Qed.

Lemma identified_iff p : distribution p -> identified p <-> ~ (exists v, direction [set: 'I_n] p v).
Proof. by move=> dp; apply: identified_iff_no_direction => // i; rewrite inE. Qed.

(* the uniform distribution: every entry is positive *)
Definition uniform : 'rV[F]_n := const_mx (n%:R^-1).

Lemma uniform_gt0 : (0 < n)%N -> forall i, 0 < uniform 0 i.
Proof. by move=> n0 i; rewrite mxE invr_gt0 ltr0n. Qed.

Lemma uniform_distribution : (0 < n)%N -> distribution uniform.
Proof.
move=> n0; have n'0 : (n%:R : F) != 0 by rewrite pnatr_eq0 -lt0n.
split=> [i|]; first exact/ltW/uniform_gt0.
rewrite total_sum (eq_bigr (fun _ => n%:R^-1)) => [|i _]; rewrite ?mxE //.
by rewrite sumr_const card_ord -[LHS]mulr_natl mulfV.
Qed.

(* a vector that is nonnegative and sums to zero is zero *)
Lemma nonneg_total0 v : (forall i, 0 <= v 0 i) -> total v = 0 -> v = 0.
Proof.
move=> v0 /eqP; rewrite total_sum psumr_eq0 // => /allP e; apply/rowP => i; rewrite mxE; apply/eqP.
by have := e i; rewrite mem_index_enum => /(_ isT).
Qed.

Lemma negative_entry v : v != 0 -> total v = 0 -> exists i, v 0 i < 0.
Proof.
move=> v0 vt; apply/existsP; rewrite -[X in is_true X]negbK negb_exists.
apply: contraNN v0 => /forallP nn; apply/eqP/nonneg_total0 => // i.
by rewrite leNgt nn.
Qed.

(* the distribution on the negative entries of a vector that sums to zero: the vector is a direction from its face *)
Lemma negative_part v : v != 0 -> v *m (system M)^T = 0 ->
  exists2 p, distribution p /\ (forall i, p 0 i = 0 <-> 0 <= v 0 i) & ~ identified p.
Proof.
move=> v0 vM; have [_ vt] := iffLR (system0 M v) vM.
pose w i := - Num.min (v 0 i) 0; pose s := \sum_i w i.
have w0 i : 0 <= w i by rewrite oppr_ge0 le_minl lexx orbT.
have wE i : (w i == 0) = (0 <= v 0 i) by rewrite oppr_eq0 eq_minr.
have s0 : 0 < s.
  have [i vi] := negative_entry v0 vt.
  rewrite lt_neqAle sumr_ge0 // andbT eq_sym psumr_eq0 //; apply/negP => /allP/(_ i).
  by rewrite mem_index_enum wE leNgt vi => /(_ isT).
pose p : 'rV[F]_n := \row_i (w i / s).
have pE i : p 0 i = 0 <-> 0 <= v 0 i.
  by rewrite mxE -wE; split=> [/eqP|/eqP->]; rewrite ?mul0r // mulf_eq0 invr_eq0 (gt_eqF s0) orbF.
have dp : distribution p.
  split=> [i|]; first by rewrite mxE divr_ge0 // ltW.
  by rewrite total_sum (eq_bigr (fun i => w i / s)) => [|i _]; rewrite ?mxE // -mulr_suml mulfV // gt_eqF.
exists p => //; rewrite identified_iff // => none.
by case: none; exists v; split=> // [i|i /pE]; rewrite ?inE.
Qed.

(* |sum_i p_i x_i| <= e where |x_i| <= e, for a distribution p *)
Lemma average_le p (x : 'I_n -> F) e : distribution p -> (forall i, `|x i| <= e) -> `|\sum_i p 0 i * x i| <= e.
Proof.
move=> [p0 p1] xe; apply: le_trans (ler_norm_sum _ _ _) _.
rewrite -[X in _ <= X]mul1r -p1 total_sum mulr_suml; apply: ler_sum => i _.
by rewrite normrM (ger0_norm (p0 i)) ler_wpmul2l.
Qed.
End Distributions.

(* What an agent shows. States 'I_n, actions A, goals 'I_k. *)
Section Agents.
Variables (F : realFieldType) (k n : nat) (A : finType).
Implicit Types (K : 'I_n -> A -> 'rV[F]_n) (Q : 'I_k -> 'I_n -> A -> F).

Definition kernel K := forall s a, distribution (K s a).

(* A value operator turns the values of the actions, in a state, for a goal, into the value of the state. *)
Definition operator := 'I_k -> 'I_n -> (A -> F) -> F.
Definition nonexpansive (T : operator) :=
  forall g s x y e, (forall a, `|x a - y a| <= e) -> `|T g s x - T g s y| <= e.

Variables (R : 'M[F]_(k, n)) (C : 'I_k -> 'I_n -> F) (gamma : F) (T : operator).

(* M = R + gamma C V *)
Definition tests Q : 'M[F]_(k, n) := \matrix_(g, s) (R g s + gamma * C g s * T g s (Q g s)).
(* Q[g,s,a] = sum_s' P[s,a,s'] M[g,s'] *)
Definition bellman K Q := forall g s a, Q g s a = (K s a *m (tests Q)^T) 0 g.

Lemma bellmanE K Q :
  bellman K Q <-> forall g s a, Q g s a = \sum_t K s a 0 t * (R g t + gamma * C g t * T g t (Q g t)).
Proof.
by split=> b g s a; rewrite b mxE; apply: eq_bigr => t _; rewrite !mxE.
Qed.

Hypotheses (gamma0 : 0 <= gamma) (gamma1 : gamma < 1) (C01 : forall g s, 0 <= C g s <= 1).
Hypothesis T_nonexpansive : nonexpansive T.

Lemma contraction K Q Q' e : kernel K -> (forall g s a, `|Q g s a - Q' g s a| <= e) ->
  forall g s a, `|(K s a *m (tests Q)^T) 0 g - (K s a *m (tests Q')^T) 0 g| <= gamma * e.
Proof.
move=> dK close g s a; rewrite !mxE -sumrB.
rewrite (eq_bigr (fun t => K s a 0 t * (gamma * (C g t * (T g t (Q g t) - T g t (Q' g t)))))) => [|t _]; last first.
  by rewrite !mxE -mulrBr opprD addrACA subrr add0r !mulrBr !mulrA.
apply: average_le => // t; rewrite normrM (ger0_norm gamma0) ler_wpmul2l // normrM.
have e0 : 0 <= e by apply: le_trans (close g s a).
have /andP[c0 c1] := C01 g t; rewrite (ger0_norm c0) -[X in _ <= X]mul1r ler_pmul //.
exact: T_nonexpansive.
Qed.

(* Bellman's equation has at most one solution *)
Lemma bellman_unique K Q Q' : kernel K -> bellman K Q -> bellman K Q' -> forall g s a, Q g s a = Q' g s a.
Proof.
move=> dK b b' g s a.
case: (@Order.TotalTheory.arg_maxP _ _ _ (g, s, a) predT (fun i => `|Q i.1.1 i.1.2 i.2 - Q' i.1.1 i.1.2 i.2|) isT).
move=> [[g1 s1] a1] _ /= top; set e := `|_| in top.
have close g' s' a' : `|Q g' s' a' - Q' g' s' a'| <= e by apply: (top (g', s', a')).
have shrinks : e <= gamma * e by rewrite {1}/e b b'; apply: contraction.
have e0 : e <= 0.
  rewrite leNgt; apply: contraTN gamma1 => e0.
  by rewrite -leNgt -(ler_pmul2r e0) mul1r.
by apply/eqP; rewrite -subr_eq0 -normr_le0 (le_trans (close g s a)).
Qed.
End Agents.

(* Value operators: a policy, and the maximum *)
Section Operators.
Variables (F : realFieldType) (A : finType).

Definition under (policy : A -> F) (x : A -> F) : F := \sum_a policy a * x a.
Definition best (a0 : A) (x : A -> F) : F := x [arg max_(a > a0) x a]%O.

Lemma best_ge a0 x a : x a <= best a0 x.
Proof. by rewrite /best; case: Order.TotalTheory.arg_maxP => // b _; apply. Qed.

Lemma best_attained a0 (x : A -> F) : exists a, best a0 x = x a.
Proof. by exists [arg max_(a > a0) x a]%O. Qed.

Lemma best_eq a0 x y a : (forall b, x b <= y) -> x a = y -> best a0 x = y.
Proof.
move=> le xa; apply/le_anti; rewrite -{2}xa best_ge andbT.
by have [b ->] := best_attained a0 x.
Qed.

Lemma best_nonexpansive a0 x y e : (forall a, `|x a - y a| <= e) -> `|best a0 x - best a0 y| <= e.
Proof.
move=> close; have side u v : (forall a, `|u a - v a| <= e) -> best a0 u - best a0 v <= e.
  move=> uv; have [a ->] := best_attained a0 u.
  apply: le_trans (_ : u a - v a <= _); first by rewrite ler_add2l ler_opp2 best_ge.
  by apply: le_trans (uv a); apply: ler_norm.
rewrite ler_norml side // andbT ler_oppl opprB side // => a.
by rewrite distrC.
Qed.

Lemma best_shift a0 x c : best a0 (fun a => x a + c) = best a0 x + c.
Proof.
have [a e] := best_attained a0 x; apply: (@best_eq _ _ _ a) => [b|]; last by rewrite e.
by rewrite ler_add2r best_ge.
Qed.

Lemma under_nonexpansive policy x y e : (forall a, 0 <= policy a) -> \sum_a policy a = 1 ->
  (forall a, `|x a - y a| <= e) -> `|under policy x - under policy y| <= e.
Proof.
move=> p0 p1 close; rewrite -sumrB; apply: le_trans (ler_norm_sum _ _ _) _.
rewrite -[X in _ <= X]mul1r -p1 mulr_suml; apply: ler_sum => a _.
by rewrite -mulrBr normrM (ger0_norm (p0 a)) ler_wpmul2l.
Qed.

Lemma under_shift policy x c : \sum_a policy a = 1 -> under policy (fun a => x a + c) = under policy x + c.
Proof.
move=> p1; rewrite /under (eq_bigr (fun a => policy a * x a + policy a * c)) => [|a _]; last by rewrite mulrDr.
by rewrite big_split /= -mulr_suml p1 mul1r.
Qed.
End Operators.

(* The 2-norm, squared so that no roots are needed *)
Section Euclid.
Variables (F : realFieldType) (n : nat).
Implicit Types x y z : 'rV[F]_n.

Definition dot x y : F := (x *m y^T) 0 0.
Definition square x : F := dot x x.

Lemma dotC x y : dot x y = dot y x.
Proof. by rewrite /dot -[x *m _]trmxK trmx_mul trmxK mxE. Qed.
Lemma dotDl x y z : dot (x + y) z = dot x z + dot y z.
Proof. by rewrite /dot mulmxDl mxE. Qed.
Lemma dotZl t x y : dot (t *: x) y = t * dot x y.
Proof. by rewrite /dot -scalemxAl mxE. Qed.

Lemma squareE x : square x = \sum_i x 0 i ^+ 2.
Proof. by rewrite /square /dot mxE; apply: eq_bigr => i _; rewrite mxE expr2. Qed.
Lemma square_ge0 x : 0 <= square x.
Proof. by rewrite squareE sumr_ge0 // => i _; apply: sqr_ge0. Qed.
Lemma square_eq0 x : square x = 0 -> x = 0.
Proof.
rewrite squareE => /eqP; rewrite psumr_eq0 => [/allP e|i _]; last exact: sqr_ge0.
apply/rowP => i; rewrite mxE; have := e i; rewrite mem_index_enum => /(_ isT).
by rewrite sqrf_eq0 => /eqP.
Qed.

Lemma squareD t x y : square (x + t *: y) = square x + t * dot x y *+ 2 + t ^+ 2 * square y.
Proof.
rewrite /square dotDl [dot x (x + _)]dotC [dot (t *: y) (x + _)]dotC !dotDl !dotZl.
rewrite [dot x (t *: y)]dotC [dot y (t *: y)]dotC !dotZl [dot y x]dotC mulr2n expr2 -mulrA !addrA.
by [].
Qed.

Lemma square1D x y : square (x + y) = square x + dot x y *+ 2 + square y.
Proof. by have := squareD 1 x y; rewrite scale1r expr1n !mul1r. Qed.

Lemma cauchy_schwarz x y : dot x y ^+ 2 <= square x * square y.
Proof.
have [y0|y0] := eqVneq (square y) 0.
  by rewrite (square_eq0 y0) /dot trmx0 mulmx0 mxE expr0n mulr_ge0 ?square_ge0.
have pos : 0 < square y by rewrite lt_neqAle eq_sym y0 square_ge0.
set a := square y in pos *; set b := dot x y; set c := square x.
have e : square (a *: x + (- b) *: y) = a * (c * a - b ^+ 2).
  have ax : square (a *: x) = a * (c * a) by rewrite /square dotZl dotC dotZl -/(square x) -/c [a * c]mulrC.
  rewrite squareD ax dotZl -/b -/a sqrrN mulNr [b * (a * b)]mulrCA -expr2 mulrBr [b ^+ 2 * a]mulrC.
  by rewrite mulr2n addrA -addrA addNr addr0.
by have := square_ge0 (a *: x + (- b) *: y); rewrite e pmulr_rge0 // subr_ge0.
Qed.
End Euclid.
