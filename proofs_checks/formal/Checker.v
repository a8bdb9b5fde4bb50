(* A checker of certificates in binary integers, and what it proves. `checker/` holds what it is extracted with. *)
From Coq Require Import ZArith.
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.

Set Implicit Arguments.
Unset Strict Implicit.
Unset Printing Implicit Defensive.
Import GRing.Theory Num.Theory.
Local Open Scope ring_scope.

(* What runs: lists of integers. A column holds what the goals, and the rule that weights sum to one, say of a state. *)
Definition divides (p x : Z) : bool := if Z.eqb p 0 then Z.eqb x 0 else Z.eqb (Z.rem x p) 0.

Fixpoint product (x y : seq Z) : Z :=
  match x, y with a :: x', b :: y' => Z.add (Z.mul a b) (product x' y') | _, _ => Z0 end.

Definition reduced (p : Z) (x : seq Z) : seq Z := if Z.eqb p 0 then x else map (fun a => Z.rem a p) x.

Definition as_long (k : nat) (lists : seq (seq Z)) : bool := all (fun x => Nat.eqb (size x) k) lists.

(* rows times columns is d on the diagonal and 0 elsewhere, up to multiples of p; p = 0: exactly *)
Definition inverts (p d : Z) (rows columns : seq (seq Z)) : bool :=
  all (fun row => all (fun column =>
    divides p (Z.sub (product row.2 column.2) (if Nat.eqb row.1 column.1 then d else Z0)))
    (zip (iota 0 (size columns)) columns)) (zip (iota 0 (size rows)) rows).

Definition check_unique (k : nat) (p d : Z) (rows columns : seq (seq Z)) : bool :=
  [&& negb (divides p d), as_long k columns, Nat.eqb (size rows) (size columns)
    & inverts p d rows (map (reduced p) columns)].

(* What it means: the rational that an integer is, and the matrix with given columns. *)
Definition rational (x : Z) : rat :=
  match x with Z0 => 0 | Zpos p => (Pos.to_nat p)%:R | Zneg p => - (Pos.to_nat p)%:R end.

Definition matrix_of (k : nat) (columns : seq (seq Z)) : 'M[rat]_(k, size columns) :=
  \matrix_(g, s) rational (nth Z0 (nth [::] columns s) g).

Lemma rational_succ x : rational (Z.succ x) = rational x + 1.
Proof.
case: x => [|p|p] /=; first by rewrite add0r.
  by rewrite Pos2Nat.inj_add plusE natrD.
case: (Pos.succ_pred_or p) => [->|<-]; first by rewrite /= addNr.
set q := Pos.pred p; rewrite Z.pos_sub_lt; last by apply: Pos.lt_1_succ.
rewrite -Pos.add_1_l Pos.add_comm Pos.add_sub /= Pos2Nat.inj_add plusE natrD opprD.
by rewrite addrNK.
Qed.

Lemma rational_add x y : rational (Z.add x y) = rational x + rational y.
Proof.
elim/Z.peano_ind: x => [|x IH|x IH]; first by rewrite add0r.
  by rewrite Z.add_succ_l !rational_succ IH addrAC.
apply: (addIr 1); rewrite -rational_succ -Z.add_succ_l Z.succ_pred IH -{1}(Z.succ_pred x) rational_succ.
by rewrite addrAC.
Qed.

Lemma rational_opp x : rational (Z.opp x) = - rational x.
Proof. by case: x => [|p|p] /=; rewrite ?oppr0 ?opprK. Qed.

Lemma rational_sub x y : rational (Z.sub x y) = rational x - rational y.
Proof. by rewrite -rational_opp -rational_add. Qed.

Lemma rational_mul x y : rational (Z.mul x y) = rational x * rational y.
Proof.
elim/Z.peano_ind: x => [|x IH|x IH]; first by rewrite mul0r.
  by rewrite Z.mul_succ_l rational_add rational_succ mulrDl mul1r IH.
have e : Z.mul x y = Z.add (Z.mul (Z.pred x) y) y by rewrite -Z.mul_succ_l Z.succ_pred.
move: IH; rewrite e rational_add -{2}(Z.succ_pred x) rational_succ mulrDl mul1r.
by move/addIr.
Qed.

Lemma rational_ge0 x : (0 <= rational x) = Z.leb Z0 x.
Proof.
case: x => [|p|p] //=; first by rewrite ler0n.
by rewrite oppr_ge0 lern0; have := Pos2Nat.is_pos p => /ltP; case: (Pos.to_nat p).
Qed.

Lemma rational_eq0 x : (rational x == 0) = Z.eqb x Z0.
Proof.
case: x => [|p|p] //=; rewrite ?oppr_eq0 pnatr_eq0; have := Pos2Nat.is_pos p => /ltP; by case: (Pos.to_nat p).
Qed.

Lemma rational_int x : rational x \is a Qint.
Proof. by case: x => [|p|p] /=; rewrite ?rpred0 ?rpredN ?rpred_nat. Qed.

Lemma rational_divides p x : divides p x -> exists y, rational x = rational p * rational y.
Proof.
rewrite /divides; case: Z.eqb_spec => [->|p0] /Z.eqb_eq e; first by exists Z0; rewrite e mul0r.
exists (Z.quot x p); rewrite -rational_mul.
by rewrite {1}(Z.quot_rem' x p) e Z.add_0_r.
Qed.

Lemma rational_onto (a : rat) : a \is a Qint -> exists x, a = rational x.
Proof.
case/QintP => -[m|m] ->.
  by exists (Z.of_nat m); case: m => [|m] //=; rewrite SuccNat2Pos.id_succ.
by exists (Z.opp (Z.of_nat m.+1)); rewrite rational_opp /= SuccNat2Pos.id_succ NegzE mulrNz.
Qed.

Lemma rational_inj x y : rational x = rational y -> x = y.
Proof.
move/eqP; rewrite -subr_eq0 -rational_sub rational_eq0 => /Z.eqb_eq e.
by move/Z.sub_move_0_r: e.
Qed.

Lemma divides_rational p x (a : rat) : a \is a Qint -> rational x = rational p * a -> divides p x.
Proof.
move=> /rational_onto[y ->]; rewrite -rational_mul => /rational_inj ->.
rewrite /divides; case: Z.eqb_spec => [->|p0]; first by rewrite Z.mul_0_l.
by rewrite Z.mul_comm Z.rem_mul.
Qed.

(* Some combination of finitely many rationals with integer coefficients divides all of them. *)
Lemma common_measure n (v : 'I_n -> rat) (s : seq 'I_n) :
  exists u : 'I_n -> rat, (forall i, u i \is a Qint) /\
    forall j, j \in s -> exists2 a, a \is a Qint & v j = a * \sum_i u i * v i.
Proof.
elim: s => [|j s [u [uZ us]]]; first by exists (fun=> 0); split=> // i; rewrite rpred0.
set g := \sum_i u i * v i in us.
have sum_v : \sum_i (i == j)%:R * v i = v j.
  by rewrite (bigD1 j) //= eqxx mul1r big1 ?addr0 // => i /negPf->; rewrite mul0r.
have [v0|v0] := eqVneq (v j) 0.
  exists u; split=> // i; rewrite inE => /orP[/eqP->|/us //].
  by exists 0; rewrite ?rpred0 // v0 mul0r.
pose t := g / v j; pose b : rat := (denq t)%:~R; pose a : rat := (numq t)%:~R.
have b0 : b != 0 by rewrite intr_eq0 denq_eq0.
have tE : t = a / b by rewrite divq_num_den.
have gE : g = a * (v j / b) by rewrite [v j / b]mulrC mulrA -tE /t mulfVK.
have [x [y xy]] : exists x y : int, x * numq t + y * denq t = 1.
  by have [x [y e]] := Bezoutz (numq t) (denq t); exists x, y; rewrite e; apply/eqP; rewrite -/(coprimez _ _) coprimezE coprime_num_den.
have {}xy : x%:~R * a + y%:~R * b = 1 by rewrite -!intrM -intrD xy.
pose u' i := x%:~R * u i + y%:~R * (i == j)%:R.
have g' : \sum_i u' i * v i = v j / b.
  rewrite (eq_bigr (fun i => x%:~R * (u i * v i) + y%:~R * ((i == j)%:R * v i))) => [|i _]; last first.
    by rewrite mulrDl !mulrA.
  have vb : v j = b * (v j / b) by rewrite mulrC mulfVK.
  rewrite big_split /= -!mulr_sumr sum_v -/g gE; set w := v j / b in vb *.
  transitivity ((x%:~R * a + y%:~R * b) * w); last by rewrite xy mul1r.
  by rewrite vb mulrDl !mulrA.
exists u'; split=> [i|i].
  by rewrite rpredD // rpredM ?Qint_int ?uZ ?rpred_nat //; apply/QintP; [exists x | exists y].
rewrite g' inE => /orP[/eqP->|/us[c cZ ->]].
  by exists b; [apply/QintP; exists (denq t) | rewrite mulrC mulfVK].
by exists (c * a); [rewrite rpredM //; apply/QintP; exists (numq t) | rewrite gE mulrA].
Qed.

(* d times a vector is p times integer combinations of its entries, and p does not divide d: it is zero *)
Lemma no_multiple (p d : Z) n (v : 'I_n -> rat) (B : 'I_n -> 'I_n -> rat) : ~~ divides p d ->
  (forall i j, B i j \is a Qint) -> (forall i, rational d * v i = rational p * \sum_j B i j * v j) ->
  forall i, v i = 0.
Proof.
move=> pd BZ e; have [u [uZ uv]] := common_measure v (enum 'I_n).
set g := \sum_i u i * v i in uv.
have vZ i : exists2 a, a \is a Qint & v i = a * g by apply: uv; rewrite mem_enum.
have [g0|g0] := eqVneq g 0; first by move=> i; have [a _ ->] := vZ i; rewrite g0 mulr0.
have wZ i : v i / g \is a Qint by have [a aZ ->] := vZ i; rewrite mulfK.
case/negP: pd; apply: (@divides_rational _ _ (\sum_i u i * \sum_j B i j * (v j / g))).
  by rewrite rpred_sum // => i _; rewrite rpredM ?uZ ?rpred_sum // => j _; rewrite rpredM.
apply: (mulIf g0); rewrite -mulrA mulr_suml {1}/g !mulr_sumr; apply: eq_bigr => i _.
rewrite mulrCA e mulrCA -!mulrA; congr (_ * (_ * _)).
by rewrite mulr_suml; apply: eq_bigr => j _; rewrite -mulrA mulfVK.
Qed.

Lemma product_sum k x y : (size y <= k)%N ->
  rational (product x y) = \sum_(g < k) rational (nth Z0 x g) * rational (nth Z0 y g).
Proof.
elim: x k y => [|a x IH] k y; first by move=> _; rewrite /= big1 // => g _; rewrite nth_nil mul0r.
case: y => [|b y]; first by move=> _; rewrite /= big1 // => g _; rewrite nth_nil mulr0.
case: k => // k yk; rewrite big_ord_recl /= rational_add rational_mul (IH k) //.
Qed.

Lemma reduced_size p x : size (reduced p x) = size x.
Proof. by rewrite /reduced; case: Z.eqb; rewrite ?size_map. Qed.

Lemma reduced_nth p x : exists2 y : nat -> rat, (forall g, y g \is a Qint)
  & forall g, rational (nth Z0 (reduced p x) g) = rational (nth Z0 x g) - rational p * y g.
Proof.
rewrite /reduced; case: Z.eqb_spec => [->|p0].
  by exists (fun=> 0) => g; rewrite ?rpred0 // mulr0 subr0.
exists (fun g => rational (Z.quot (nth Z0 x g) p)) => g; first exact: rational_int.
rewrite -rational_mul -rational_sub; congr rational.
have -> : nth Z0 [seq Z.rem a p | a <- x] g = Z.rem (nth Z0 x g) p.
  have [lt|ge] := ltnP g (size x); first by rewrite (nth_map Z0).
  by rewrite !nth_default ?size_map // Z.rem_0_l.
by rewrite {2}(Z.quot_rem' (nth Z0 x g) p) Z.add_comm Z.add_simpl_r.
Qed.

Lemma as_long_le k columns s : as_long k columns -> (size (nth [::] columns s) <= k)%N.
Proof.
move=> /(all_nthP [::]) long; have [lt|ge] := ltnP s (size columns); last by rewrite nth_default.
by have /Nat.eqb_eq -> := long _ lt.
Qed.

Lemma inverts_nth p d rows columns i j : inverts p d rows columns -> (i < size rows)%N -> (j < size columns)%N ->
  divides p (Z.sub (product (nth [::] rows i) (nth [::] columns j)) (if Nat.eqb i j then d else Z0)).
Proof.
have szip (T : Type) (l : seq T) : size (zip (iota 0 (size l)) l) = size l by rewrite size_zip size_iota minnn.
move=> /(all_nthP (0%N, [::])) a ir jc; have := a i; rewrite szip nth_zip ?size_iota // => /(_ ir) /=.
move=> /(all_nthP (0%N, [::])) b; have := b j; rewrite szip nth_zip ?size_iota // => /(_ jc) /=.
by rewrite !nth_iota.
Qed.

Lemma eqb_ord n (i j : 'I_n) : Nat.eqb i j = (i == j).
Proof. by apply/idP/eqP => [/Nat.eqb_eq e|->]; [apply: val_inj | apply: Nat.eqb_refl]. Qed.

(** Checker, unique: if L A is d I up to multiples of an integer p that does not divide d (p = 0: exactly; a prime or not), and the checker says so, then the columns of A are independent over the rationals. *)
Theorem Checker_unique k p d rows columns :
  check_unique k p d rows columns -> \rank (matrix_of k columns) = size columns.
Proof.
case/and4P => pd long /Nat.eqb_eq same inv; apply/null_space_trivial => v Av.
pose A g s := rational (nth Z0 (nth [::] columns s) g).
pose L i g := rational (nth Z0 (nth [::] rows i) g).
have Av0 (g : 'I_k) : \sum_(s < size columns) A g s * v 0 s = 0.
  have /rowP/(_ g) := Av; rewrite !mxE => e; rewrite -[RHS]e; apply: eq_bigr => s _.
  by rewrite !mxE mulrC.
have entry (i s : 'I_(size columns)) : exists2 b, b \is a Qint
    & \sum_(g < k) L i g * A g s = (i == s)%:R * rational d + rational p * b.
  have [y yZ yE] := reduced_nth p (nth [::] columns s).
  have := @inverts_nth _ _ _ _ i s inv; rewrite size_map same !ltn_ord (nth_map [::]) // => /(_ isT isT).
  case/rational_divides => z; rewrite rational_sub (@product_sum k) ?reduced_size ?as_long_le // eqb_ord => e.
  exists (rational z + \sum_(g < k) L i g * y g).
    by rewrite rpredD ?rational_int ?rpred_sum // => g _; rewrite rpredM ?rational_int.
  have -> : (i == s)%:R * rational d = rational (if i == s then d else Z0) by case: eqP; rewrite ?mul1r ?mul0r.
  rewrite mulrDr -e addrA addrCA subrr addr0 mulr_sumr -big_split /=; apply: eq_bigr => g _.
  by rewrite yE mulrBr [rational p * (_ * _)]mulrCA subrK.
have [b bZ bE] : exists2 b : 'I_(size columns) -> 'I_(size columns) -> rat, (forall i s, b i s \is a Qint)
    & forall i s : 'I_(size columns), \sum_(g < k) L i g * A g s = (i == s)%:R * rational d + rational p * b i s.
  have ex (i s : 'I_(size columns)) : exists x : rat,
      (x \is a Qint) && (\sum_(g < k) L i g * A g s == (i == s)%:R * rational d + rational p * x).
    by have [x xZ ->] := entry i s; exists x; rewrite xZ eqxx.
  by exists (fun i s => xchoose (ex i s)) => i s; have /andP[? /eqP] := xchooseP (ex i s).
suff e (i : 'I_(size columns)) : rational d * v 0 i = rational p * \sum_s - b i s * v 0 s.
  have BZ (j s : 'I_(size columns)) : - b j s \is a Qint by rewrite rpredN.
  by apply/rowP => i; rewrite [RHS]mxE; exact: (@no_multiple p d _ (v 0) (fun j s => - b j s) pd BZ e i).
have : \sum_(s < size columns) (\sum_(g < k) L i g * A g s) * v 0 s = 0.
  rewrite (eq_bigr (fun s : 'I_(size columns) => \sum_(g < k) L i g * (A g s * v 0 s))) => [|s _]; last first.
    by rewrite mulr_suml; apply: eq_bigr => g _; rewrite mulrA.
  by rewrite exchange_big /= big1 // => g _; rewrite -mulr_sumr Av0 mulr0.
rewrite (eq_bigr (fun s : 'I_(size columns) => (i == s)%:R * (rational d * v 0 s) + rational p * (b i s * v 0 s))) => [|s _]; last first.
  by rewrite bE mulrDl !mulrA.
rewrite big_split /= -mulr_sumr (bigD1 i) //= eqxx mul1r big1 => [|s /negPf si]; last by rewrite eq_sym si mul0r.
rewrite addr0 => /eqP; rewrite addr_eq0 => /eqP ->; rewrite -mulrN -sumrN.
by congr (_ * _); apply: eq_bigr => s _; rewrite mulNr.
Qed.

Import Order.Theory.

(* A row of the class: integer weights over a denominator. In the matrix of the lines a column is a goal. *)
Definition check_member (n : nat) (free : bool) (d : Z) (w : seq Z) : bool :=
  [&& Z.ltb 0 d, Nat.eqb (size w) n
    & free || (all (Z.leb 0) w && Z.eqb (product (nseq n (Zpos xH)) w) d)].

Definition check_values (d : Z) (w : seq Z) (lines : seq (seq Z)) (values : seq Z) : bool :=
  Nat.eqb (size values) (size lines) &&
  all (fun line => Z.eqb (product line.1 w) (Z.mul line.2 d)) (zip lines values).

Definition check_pair (n : nat) (free : bool) (lines : seq (seq Z)) (d : Z) (w : seq Z) (d' : Z) (w' : seq Z) : bool :=
  [&& check_member n free d w, check_member n free d' w',
      all (fun line => Z.eqb (Z.mul (product line w) d') (Z.mul (product line w') d)) lines
    & has (fun x => negb (Z.eqb (Z.mul x.1 d') (Z.mul x.2 d))) (zip w w')].

Definition check_farkas (k : nat) (free : bool) (y : seq Z) (columns : seq (seq Z)) (values : seq Z) : bool :=
  [&& as_long k columns, Nat.eqb (size values) k, Z.ltb (product y values) 0
    & all (fun c => Z.leb 0 (product y c) && (negb free || Z.eqb (product y c) 0)) columns].

Definition weights (n : nat) (d : Z) (w : seq Z) : 'rV[rat]_n := \row_s (rational (nth Z0 w s) / rational d).
Definition row_of (k : nat) (values : seq Z) : 'rV[rat]_k := \row_g rational (nth Z0 values g).

Lemma rational_gt0 x : (0 < rational x) = Z.ltb 0 x.
Proof. by rewrite lt_def rational_eq0 rational_ge0; case: x. Qed.

Lemma rational_eq_Z x y : (rational x == rational y) = Z.eqb x y.
Proof. by apply/eqP/Z.eqb_spec => [/rational_inj|->]. Qed.

Lemma rational_lt0 x : (rational x < 0) = Z.ltb x 0.
Proof. by rewrite ltNge rational_ge0; case: x. Qed.

Lemma weights_product n d w lines g : size w = n ->
  (weights n d w *m matrix_of n lines) 0 g = rational (product (nth [::] lines g) w) / rational d.
Proof.
move=> wn; rewrite mxE (@product_sum n) ?wn // mulr_suml; apply: eq_bigr => s _.
by rewrite !mxE mulrC mulrA.
Qed.

(** Checker, member: weights that the checker accepts are a distribution (unless the class is free of signs and sums). *)
Theorem Checker_member n free d w : check_member n free d w -> ~~ free -> distribution (weights n d w).
Proof.
case/and3P => d0 /Nat.eqb_eq wn c f; move: c; rewrite (negPf f) /= => /andP[/(all_nthP Z0) w0 /Z.eqb_eq sum].
have d1 : 0 < rational d by rewrite rational_gt0.
split=> [s|]; first by rewrite mxE divr_ge0 ?(ltW d1) // rational_ge0 w0 // wn.
have e : rational d = \sum_(s < n) rational (nth Z0 w s).
  rewrite -[in LHS]sum (@product_sum n) ?wn //; apply: eq_bigr => s _.
  by rewrite nth_nseq ltn_ord mul1r.
rewrite total_sum -[RHS](divff (lt0r_neq0 d1)) [in X in _ = X / _]e mulr_suml; apply: eq_bigr => s _.
by rewrite mxE.
Qed.

(** Checker, values: weights that the checker accepts have the stated values. *)
Theorem Checker_values n free d w lines values : check_member n free d w -> check_values d w lines values ->
  weights n d w *m matrix_of n lines = row_of (size lines) values.
Proof.
case/and3P => d0 /Nat.eqb_eq wn _ /andP[/Nat.eqb_eq same /(all_nthP ([::], Z0)) v].
have d1 : rational d != 0 by rewrite gt_eqF // rational_gt0.
apply/rowP => g; rewrite weights_product // mxE; have := v g; rewrite size_zip same minnn ltn_ord => /(_ isT).
by rewrite nth_zip //= => /Z.eqb_eq ->; rewrite rational_mul mulfK.
Qed.

(** Checker, pair: what the checker accepts are two different rows with the same values. *)
Theorem Checker_pair n free lines d w d' w' : check_pair n free lines d w d' w' ->
  weights n d w != weights n d' w' /\ weights n d w *m matrix_of n lines = weights n d' w' *m matrix_of n lines.
Proof.
case/and4P => /and3P[d0 /Nat.eqb_eq wn _] /and3P[d0' /Nat.eqb_eq wn' _] /(all_nthP [::]) same /(has_nthP (Z0, Z0)).
have d1 : rational d != 0 by rewrite gt_eqF // rational_gt0.
have d1' : rational d' != 0 by rewrite gt_eqF // rational_gt0.
case=> s; rewrite size_zip wn wn' minnn => sn; rewrite nth_zip ?wn ?wn' //= => ne; split.
  apply: contraNneq ne => /rowP/(_ (Ordinal sn)); rewrite !mxE /= => e.
  by rewrite -rational_eq_Z !rational_mul -(divfK d1 (rational (nth Z0 w s))) e mulrAC divfK.
apply/rowP => g; rewrite !weights_product //; have /Z.eqb_eq/(congr1 rational) := same _ (ltn_ord g).
by rewrite !rational_mul => e; apply/eqP; rewrite eqr_div // e.
Qed.

(** Checker, farkas: what the checker accepts shows that no nonnegative weights, or no weights at all if the class is free, have the values. *)
Theorem Checker_farkas k free y columns values : check_farkas k free y columns values ->
  ~ exists2 x : 'rV_(size columns), ~~ free -> forall s, 0 <= x 0 s & x *m (matrix_of k columns)^T = row_of k values.
Proof.
case/and4P => long /Nat.eqb_eq vk neg /(all_nthP [::]) pos [x x0 e].
have := neg; rewrite -rational_lt0 (@product_sum k) ?vk // ltNge => /negP; apply.
have -> : \sum_(g < k) rational (nth Z0 y g) * rational (nth Z0 values g)
    = \sum_s x 0 s * rational (product y (nth [::] columns s)).
  transitivity (\sum_(g < k) \sum_s rational (nth Z0 y g) * (x 0 s * rational (nth Z0 (nth [::] columns s) g))).
    apply: eq_bigr => g _; have /rowP/(_ g) := e; rewrite !mxE => <-; rewrite mulr_sumr; apply: eq_bigr => s _.
    by rewrite !mxE.
  rewrite exchange_big /=; apply: eq_bigr => s _; rewrite (@product_sum k) ?as_long_le // mulr_sumr.
  by apply: eq_bigr => g _; rewrite mulrCA.
apply: sumr_ge0 => s _; have /andP[p0 pf] := pos _ (ltn_ord s).
case: free x0 pf {pos} => /= x0 pf; first by move: pf; rewrite -rational_eq0 => /eqP ->; rewrite mulr0.
by rewrite mulr_ge0 ?x0 // rational_ge0.
Qed.
