(* A checker of verdict certificates in binary integers, and what each of its answers proves. `checker/` holds what it
   is extracted with. *)
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

(* What proves something of the rows within some states: see docs/certificates.md. *)
Inductive proof :=
  | Unique (fact : nat) (y : seq Z)
  | Farkas (y : seq Z)
  | Apart (y : seq Z)
  | Columns
  | Branch (s : nat) (second : bool) (without reached : proof).

(* Columns that are independent: which, the modulus, the denominator, the left inverse. *)
Definition fact := (seq bool * Z * Z * seq (seq Z))%type.

Definition check_facts (k : nat) (columns : seq (seq Z)) (facts : seq fact) : bool :=
  as_long k columns && all (fun f => check_unique k f.1.1.2 f.1.2 f.2 (mask f.1.1.1 columns)) facts.

Definition inside (facts : seq fact) (j : nat) : seq bool := nth [::] (map (fun f => f.1.1.1) facts) j.

Fixpoint every (f : bool -> bool -> bool -> seq Z -> bool) (a b c : seq bool) (columns : seq (seq Z)) : bool :=
  match columns with
  | [::] => true
  | x :: columns' => f (head false a) (head false b) (head false c) x && every f (behead a) (behead b) (behead c) columns'
  end.

Fixpoint same (x y : seq Z) : bool :=
  match x, y with a :: x', b :: y' => Z.eqb a b && same x' y' | [::], [::] => true | _, _ => false end.

Fixpoint distinct (columns : seq (seq Z)) : bool :=
  match columns with [::] => true | c :: columns' => ~~ has (same c) columns' && distinct columns' end.

Definition nonzero (w : seq Z) : seq bool := map (fun x => negb (Z.eqb x 0)) w.

Definition settled (most : nat) (within reached : seq bool) : seq bool :=
  if Nat.leb most (count id reached) then reached else within.

(* No row of the class within some states has the values b, or none but a known one. *)
Fixpoint check_only (k : nat) (free : bool) (most : nat) (columns : seq (seq Z)) (facts : seq fact) (b : seq Z)
    (known : bool) (row : seq bool) (within reached : seq bool) (t : proof) : bool :=
  match t with
  | Unique j y => known && every (fun w i r c => let x := product y c in
      if i then Z.eqb x 0 else ~~ r && (~~ w || (~~ free && Z.ltb 0 x))) within (inside facts j) row columns
  | Farkas y => Z.ltb (product y b) 0 && every (fun w _ _ c => let x := product y c in
      ~~ w || (Z.leb 0 x && (~~ free || Z.eqb x 0))) within [::] [::] columns
  | Apart _ => false
  | Columns => [&& ~~ free, Nat.eqb most 1 & every (fun w _ r c => [|| ~~ w, r | ~~ same c b]) within [::] row columns]
  | Branch s _ without more =>
      [&& Nat.ltb s (size columns),
          check_only k free most columns facts b known row (set_nth false within s false) reached without
        & check_only k free most columns facts b known row (settled most within (set_nth false reached s true))
            (set_nth false reached s true) more]
  end.

(* No two rows of the class have the same values and differ by a vector that is positive within `up` alone, and
   negative within `down` alone. *)
Fixpoint check_apart (free : bool) (most : nat) (columns : seq (seq Z)) (facts : seq fact)
    (up up' down down' : seq bool) (t : proof) : bool :=
  match t with
  | Unique j _ => every (fun u d i _ => i || (~~ u && ~~ d)) up down (inside facts j) columns
  | Farkas _ => false
  | Apart y => ~~ free && every (fun u d _ c => let x := product y c in
      (~~ u || Z.ltb 0 x) && (~~ d || Z.leb x 0)) up down [::] columns
  | Columns => [&& ~~ free, Nat.eqb most 1 & distinct columns]
  | Branch s second without more =>
      Nat.ltb s (size columns) &&
      (if second then
         check_apart free most columns facts up up' (set_nth false down s false) down' without &&
         check_apart free most columns facts (set_nth false up s false) up'
           (settled most down (set_nth false down' s true)) (set_nth false down' s true) more
       else
         check_apart free most columns facts (set_nth false up s false) up' down down' without &&
         check_apart free most columns facts (settled most up (set_nth false up' s true)) (set_nth false up' s true)
           (set_nth false down s false) down' more)
  end.

Fixpoint combination (k : nat) (w : seq Z) (columns : seq (seq Z)) : seq Z :=
  match w, columns with
  | a :: w', c :: columns' => let rest := combination k w' columns' in
      if Z.eqb a 0 then rest else map (fun x => Z.add (Z.mul a x.1) x.2) (zip c rest)
  | _, _ => nseq k Z0
  end.

(* A row of the class: integer weights over a denominator. *)
Definition check_member (free : bool) (allowed : seq bool) (most : nat) (columns : seq (seq Z)) (d : Z) (w : seq Z)
    : bool :=
  [&& Z.ltb 0 d, Nat.eqb (size w) (size columns), every (fun a r _ _ => a || ~~ r) allowed (nonzero w) [::] columns,
      Nat.leb (count id (nonzero w)) most
    & free || (all (Z.leb 0) w && Z.eqb (product (nseq (size w) (Zpos xH)) w) d)].

Definition check_values (k : nat) (columns : seq (seq Z)) (d : Z) (w : seq Z) (b : seq Z) : bool :=
  Nat.eqb (size b) k && all (fun x => Z.eqb x.1 (Z.mul x.2 d)) (zip (combination k w columns) b).

Definition check_identified (k : nat) (free : bool) (most : nat) (columns : seq (seq Z)) (facts : seq fact)
    (allowed : seq bool) (b : seq Z) (d : Z) (w : seq Z) (t : proof) : bool :=
  [&& check_member free allowed most columns d w, check_values k columns d w b
    & check_only k free most columns facts b true (nonzero w) allowed (nseq (size columns) false) t].

Definition check_inconsistent (k : nat) (free : bool) (most : nat) (columns : seq (seq Z)) (facts : seq fact)
    (allowed : seq bool) (b : seq Z) (t : proof) : bool :=
  Nat.eqb (size b) k && check_only k free most columns facts b false [::] allowed (nseq (size columns) false) t.

Definition check_determined (free : bool) (most : nat) (columns : seq (seq Z)) (facts : seq fact)
    (allowed : seq bool) (t : proof) : bool :=
  let none := nseq (size columns) false in
  (~~ free || Nat.leb (size columns) most) && check_apart free most columns facts allowed none allowed none t.

Definition check_pair (k : nat) (free : bool) (most : nat) (columns : seq (seq Z)) (allowed : seq bool)
    (d : Z) (w : seq Z) (d' : Z) (w' : seq Z) : bool :=
  [&& check_member free allowed most columns d w, check_member free allowed most columns d' w',
      all (fun x => Z.eqb (Z.mul x.1 d') (Z.mul x.2 d)) (zip (combination k w columns) (combination k w' columns))
    & has (fun x => negb (Z.eqb (Z.mul x.1 d') (Z.mul x.2 d))) (zip w w')].

Lemma rational_gt0 x : (0 < rational x) = Z.ltb 0 x.
Proof. by rewrite lt_def rational_eq0 rational_ge0; case: x. Qed.

Lemma rational_eq_Z x y : (rational x == rational y) = Z.eqb x y.
Proof. by apply/eqP/Z.eqb_spec => [/rational_inj|->]. Qed.

Lemma rational_lt0 x : (rational x < 0) = Z.ltb x 0.
Proof. by rewrite ltNge rational_ge0; case: x. Qed.

Lemma rational_le0 x : (rational x <= 0) = Z.leb x 0.
Proof. by rewrite leNgt rational_gt0; case: x. Qed.

Lemma every_nth f a b c columns : every f a b c columns -> forall s, (s < size columns)%N ->
  f (nth false a s) (nth false b s) (nth false c s) (nth [::] columns s).
Proof.
elim: columns => [|x columns IH] // in a b c *; case/andP=> fx rest [|s] lt; first by rewrite !nth0.
by have := IH _ _ _ rest s lt; rewrite !nth_behead.
Qed.

Lemma same_refl x : same x x.
Proof. by elim: x => //= a x ->; rewrite Z.eqb_refl. Qed.

Lemma nth_nonzero w s : nth false (nonzero w) s = ~~ Z.eqb (nth Z0 w s) 0.
Proof.
have [lt|ge] := ltnP s (size w); first by rewrite (nth_map Z0).
by rewrite !nth_default ?size_map.
Qed.

Lemma count_card n m : size m = n -> count id m = #|[set i : 'I_n | nth false m i]|.
Proof.
move=> <-; rewrite -sum1_count (big_nth false) big_mkord -sum1_card.
by apply: eq_bigl => i; rewrite inE.
Qed.

Lemma distinct_nth columns i j : distinct columns -> (i < j)%N -> (j < size columns)%N ->
  nth [::] columns i = nth [::] columns j -> False.
Proof.
elim: columns i j => [|c columns IH] // i [|j] //= /andP[no di] ij lt e.
case: i => [|i] in ij e *; last by apply: (IH i j).
case/negP: no; apply/(has_nthP [::]); exists j => //; rewrite /= in e.
by rewrite -e same_refl.
Qed.

Lemma size_combination k w columns : as_long k columns -> size (combination k w columns) = k.
Proof.
elim: columns w => [|c columns IH] [|a w] //=; rewrite ?size_nseq // => /andP[/Nat.eqb_eq ck long].
by case: ifP => _; rewrite ?IH // size_map size_zip IH // ck minnn.
Qed.

Lemma combination_nth k w columns g : as_long k columns -> (g < k)%N ->
  rational (nth Z0 (combination k w columns) g)
    = \sum_(s < size columns) rational (nth Z0 w s) * rational (nth Z0 (nth [::] columns s) g).
Proof.
move=> long gk; elim: columns w long => [|c columns IH] [|a w] long.
- by rewrite big_ord0 nth_nseq gk.
- by rewrite big_ord0 nth_nseq gk.
- by rewrite nth_nseq gk big1 // => s _; rewrite nth_nil mul0r.
case/andP: long => /Nat.eqb_eq ck long; rewrite big_ord_recl /= -(IH w long).
case: Z.eqb_spec => [->|_]; first by rewrite mul0r add0r.
rewrite (nth_map (Z0, Z0)) ?size_zip ?size_combination ?ck ?minnn // nth_zip ?size_combination //=.
by rewrite rational_add rational_mul.
Qed.

Section Soundness.
Variables (k : nat) (free : bool) (most : nat) (columns : seq (seq Z)) (facts : seq fact).
Hypothesis facts_hold : check_facts k columns facts.
Local Notation n := (size columns).
Local Notation A := (matrix_of k columns).
Implicit Types p q v : 'rV[rat]_n.

Let long : as_long k columns. Proof. by case/andP: facts_hold. Qed.

(* The class: which states a row may reach, and how many. *)
Definition member (allowed : seq bool) (p : 'rV[rat]_n) : Prop :=
  [/\ ~~ free -> distribution p, forall s, p 0 s != 0 -> nth false allowed s & (#|support p| <= most)%N].

Definition weights (d : Z) (w : seq Z) : 'rV[rat]_n := \row_s (rational (nth Z0 w s) / rational d).
Definition row_of (b : seq Z) : 'rV[rat]_k := \row_g rational (nth Z0 b g).

(* y . (A q) is the sum of q_s (y . A_s) *)
Lemma functional (y : seq Z) q :
  \sum_(g < k) rational (nth Z0 y g) * (q *m A^T) 0 g = \sum_s q 0 s * rational (product y (nth [::] columns s)).
Proof.
transitivity (\sum_(g < k) \sum_s rational (nth Z0 y g) * (q 0 s * rational (nth Z0 (nth [::] columns s) g))).
  apply: eq_bigr => g _; rewrite !mxE mulr_sumr; apply: eq_bigr => s _.
  by rewrite !mxE.
rewrite exchange_big /=; apply: eq_bigr => s _; rewrite (@product_sum k) ?as_long_le // mulr_sumr.
by apply: eq_bigr => g _; rewrite mulrCA.
Qed.

Lemma functional_values (y b : seq Z) q : size b = k -> q *m A^T = row_of b ->
  \sum_s q 0 s * rational (product y (nth [::] columns s)) = rational (product y b).
Proof.
move=> bk e; rewrite -functional e (@product_sum k) ?bk //; apply: eq_bigr => g _.
by rewrite mxE.
Qed.

Lemma masked_sum (F : seq Z -> rat) (m : seq bool) (xs : seq (seq Z)) (vs : seq rat) : size vs = size xs ->
  (forall s, ~~ nth false m s -> nth 0 vs s = 0) ->
  \sum_(x <- zip (mask m xs) (mask m vs)) F x.1 * x.2 = \sum_(x <- zip xs vs) F x.1 * x.2.
Proof.
elim: xs m vs => [|x xs IH] m [|v vs] //; first by case: m => [|[] m] //.
case=> sizes zeros; rewrite [RHS]big_cons /=.
have zeros' s : ~~ nth false (behead m) s -> nth 0 vs s = 0 by rewrite nth_behead; exact: (zeros s.+1).
rewrite -(IH _ _ sizes zeros'); case: m zeros {zeros'} => [|[] m] zeros; rewrite ?big_cons //.
  by have /= -> := zeros 0%N isT; rewrite mulr0 add0r; case: (xs); case: (vs).
by have /= -> := zeros 0%N isT; rewrite mulr0 add0r.
Qed.

Lemma size_masks (m : seq bool) (xs : seq (seq Z)) (vs : seq rat) : size vs = size xs ->
  size (mask m vs) = size (mask m xs).
Proof. by elim: m xs vs => [|a m IH] [|x xs] [|u us] //= [/IH e]; case: a; rewrite /= e. Qed.

Lemma masked_long (m : seq bool) (xs : seq (seq Z)) : as_long k xs -> as_long k (mask m xs).
Proof. by elim: m xs => [|a m IH] [|x xs] //= /andP[xk /IH]; case: a => //= ->; rewrite xk. Qed.

Lemma masked_zero (m : seq bool) (vs : seq rat) s : all (fun x => x == 0) (mask m vs) -> nth false m s ->
  nth 0 vs s = 0.
Proof.
elim: m vs s => [|a m IH] [|u us] [|s] //=; rewrite ?nth_nil //; first by case: a => //= /andP[/eqP].
by case: a => /= [/andP[_]|]; apply: IH.
Qed.

(* columns inside a fact are independent *)
Lemma independent j v : v *m A^T = 0 -> (forall s : 'I_n, ~~ nth false (inside facts j) s -> v 0 s = 0) -> v = 0.
Proof.
move=> Av off; pose vs := [seq v 0 s | s <- enum 'I_n].
have nth_vs (s : 'I_n) : nth 0 vs s = v 0 s by rewrite (nth_map s) ?size_enum_ord // nth_ord_enum.
have size_vs : size vs = n by rewrite size_map size_enum_ord.
have off' s : ~~ nth false (inside facts j) s -> nth 0 vs s = 0.
  have [lt|ge] := ltnP s n; last by move=> _; rewrite nth_default ?size_vs.
  by rewrite (nth_vs (Ordinal lt)); exact: (off (Ordinal lt)).
suff zero s : nth 0 vs s = 0 by apply/rowP => s; rewrite mxE -nth_vs zero.
have [inj|out] := boolP (nth false (inside facts j) s); last exact: off'.
have [jf|jf] := ltnP j (size facts); last by move: inj; rewrite /inside (nth_default [::]) ?size_map // nth_nil.
have [f fE] : exists f, f = nth (([::], Z0, Z0), [::]) facts j by eexists.
have m_eq : inside facts j = f.1.1.1 by rewrite /inside (nth_map (([::], Z0, Z0), [::])) // fE.
have ok : check_unique k f.1.1.2 f.1.2 f.2 (mask f.1.1.1 columns).
  by case/andP: facts_hold => _ /(all_nthP (([::], Z0, Z0), [::])) all_ok; rewrite fE; apply: all_ok.
set m := f.1.1.1 in m_eq ok; have := Checker_unique ok; set sub := mask m columns => full.
have size_sub : size (mask m vs) = size sub.
  exact: size_masks.
have wide : as_long k sub by apply: masked_long; exact: long.
have null (g : 'I_k) : \sum_(i < size sub) rational (nth Z0 (nth [::] sub i) g) * nth 0 (mask m vs) i = 0.
  transitivity (\sum_(x <- zip sub (mask m vs)) rational (nth Z0 x.1 g) * x.2).
    rewrite (big_nth ([::], 0)) big_mkord size_zip size_sub minnn; apply: eq_bigr => i _.
    by rewrite nth_zip.
  rewrite /sub (masked_sum (fun x => rational (nth Z0 x g)) size_vs); last by move=> s'; rewrite -m_eq; apply: off'.
  rewrite (big_nth ([::], 0)) big_mkord size_zip size_vs minnn.
  have /rowP/(_ g) := Av; rewrite !mxE => e; rewrite -[RHS]e; apply: eq_bigr => i _.
  by rewrite nth_zip // !mxE nth_vs mulrC.
have zero_sub : (\row_(i < size sub) nth 0 (mask m vs) i) = 0 :> 'rV[rat]_(size sub).
  apply: (iffRL (null_space_trivial (matrix_of k sub)) full); apply/rowP => g; rewrite !mxE -[RHS](null g).
  by apply: eq_bigr => i _; rewrite !mxE mulrC.
have all0 : all (fun x => x == 0) (mask m vs).
  apply/(all_nthP 0) => i; rewrite size_sub => lt.
  by have /rowP/(_ (Ordinal lt)) := zero_sub; rewrite !mxE /= => ->.
by apply: (masked_zero all0); rewrite -m_eq.
Qed.

(* Trees: which states a set holds. *)
Definition covers (X : {set 'I_n}) (m : seq bool) := forall s : 'I_n, s \in X -> nth false m s.
Definition holds (m : seq bool) (X : {set 'I_n}) := forall s : 'I_n, nth false m s -> s \in X.

Lemma covers_without X m (s : 'I_n) : covers X m -> s \notin X -> covers X (set_nth false m s false).
Proof.
move=> c sX t tX; rewrite nth_set_nth /=; case: eqP => [/val_inj ts|_]; last exact: c.
by rewrite ts (negPf sX) in tX.
Qed.

Lemma holds_with X m (s : 'I_n) : holds m X -> s \in X -> holds (set_nth false m s true) X.
Proof. by move=> h sX t; rewrite nth_set_nth /=; case: eqP => [/val_inj->|_ /h]. Qed.

Lemma size_with m (s : 'I_n) : size m = n -> size (set_nth false m s true) = n.
Proof. by move=> mn; rewrite size_set_nth mn; apply/maxn_idPr. Qed.

Lemma covers_settled X within m : size m = n -> covers X within -> holds m X -> (#|X| <= most)%N ->
  covers X (settled most within m).
Proof.
move=> mn c h le; rewrite /settled; case: Nat.leb_spec => [/ssrnat.leP many|_]; last exact: c.
move=> s sX; have sub : [set i : 'I_n | nth false m i] \subset X by apply/subsetP => i; rewrite inE => /h.
have /eqP e : [set i : 'I_n | nth false m i] == X by rewrite eqEcard sub -count_card // (leq_trans le many).
by rewrite -e inE in sX.
Qed.

Lemma unit_row q : distribution q -> (#|support q| <= 1)%N -> exists s, q = delta_mx 0 s.
Proof.
move=> [q0 q1] /card_le1_eqP one.
have [s sq] : exists s, q 0 s != 0.
  apply/existsP; apply: contraT; rewrite negb_exists => /forallP z.
  move: q1; rewrite total_sum big1 => [/eqP|s _]; first by rewrite eq_sym oner_eq0.
  by have := z s; rewrite negbK => /eqP.
have off t : t != s -> q 0 t = 0.
  by apply: contraNeq => qt; apply/eqP; apply: one; rewrite inE.
exists s; apply/rowP => t; rewrite !mxE eqxx /=; case: (eqVneq t s) => [->|/off //].
by move: q1; rewrite total_sum (bigD1 s) //= big1 ?addr0 // => t' /off.
Qed.

Lemma unit_values s g : ((delta_mx 0 s : 'rV_n) *m A^T) 0 g = rational (nth Z0 (nth [::] columns s) g).
Proof. by rewrite -rowE !mxE. Qed.

Lemma same_values x y : size x = k -> size y = k ->
  (forall g : 'I_k, rational (nth Z0 x g) = rational (nth Z0 y g)) -> x = y.
Proof.
move=> xk yk e; apply: (@eq_from_nth _ Z0); first by rewrite yk.
by move=> g; rewrite xk => lt; apply: rational_inj; exact: (e (Ordinal lt)).
Qed.

Lemma size_column (s : 'I_n) : size (nth [::] columns s) = k.
Proof. by have /(all_nthP [::])/(_ _ (ltn_ord s))/Nat.eqb_eq := long. Qed.

Lemma only_sound b (P : option 'rV[rat]_n) row allowed t : size b = k ->
  (forall p, P = Some p -> member allowed p /\ p *m A^T = row_of b) ->
  (forall s : 'I_n, nth false row s = if P is Some p then p 0 s != 0 else false) ->
  forall within reached, check_only k free most columns facts b (isSome P) row within reached t -> size reached = n ->
  forall q, member allowed q -> q *m A^T = row_of b -> covers (support q) within -> holds reached (support q) ->
  P = Some q.
Proof.
move=> bk PP rowE; elim: t => [j y|y|y||s second without IHw more IHm] within reached //=.
- case: P PP rowE => [p|] //= PP rowE chk rn q [dq _ _] qb cq _; congr Some.
  have [_ pb] := PP p erefl; have ev (s : 'I_n) := every_nth chk (ltn_ord s).
  have p_off (s : 'I_n) : ~~ nth false (inside facts j) s -> p 0 s = 0.
    by move=> off; have := ev s; rewrite (negPf off) rowE negbK => /andP[/eqP].
  have zero : \sum_s q 0 s * rational (product y (nth [::] columns s)) = 0.
    rewrite (functional_values y bk qb) -(functional_values y bk pb) big1 // => s _.
    have := ev s; case: ifP => [_|/negbT/p_off-> _]; last by rewrite mul0r.
    by rewrite -rational_eq0 => /eqP->; rewrite mulr0.
  have q_off (s : 'I_n) : ~~ nth false (inside facts j) s -> q 0 s = 0.
    move=> off; apply/eqP; apply: contraT => qs; have w : nth false within s by apply: cq; rewrite inE.
    have := ev s; rewrite (negPf off) w /= => /and3P[_ f pos]; have [q0 _] := dq f.
    have term (t : 'I_n) : 0 <= q 0 t * rational (product y (nth [::] columns t)).
      have [->|qt] := eqVneq (q 0 t) 0; first by rewrite mul0r.
      have wt : nth false within t by apply: cq; rewrite inE.
      have := ev t; case: ifP => [_|_]; first by rewrite -rational_eq0 => /eqP->; rewrite mulr0.
      by rewrite wt /= -rational_gt0 => /and3P[_ _ /ltW ge]; rewrite mulr_ge0.
    move: zero => /eqP; rewrite psumr_eq0 // => /allP/(_ s (mem_index_enum s)).
    by move: pos; rewrite -rational_gt0 mulf_eq0 (negPf qs) /= => /lt0r_neq0/negPf->.
  apply/eqP; rewrite eq_sym -subr_eq0; apply/eqP/(@independent j); first by rewrite mulmxBl qb pb subrr.
  by move=> s off; rewrite !mxE q_off // p_off // subrr.
- case/andP => neg chk rn q [dq _ _] qb cq _; have ev (s : 'I_n) := every_nth chk (ltn_ord s).
  move: neg; rewrite -rational_lt0 -(functional_values y bk qb) ltNge => /negP[].
  apply: sumr_ge0 => s _; have [->|qs] := eqVneq (q 0 s) 0; first by rewrite mul0r.
  have w : nth false within s by apply: cq; rewrite inE.
  have := ev s; rewrite w /= -rational_ge0 -rational_eq0 => /andP[x0 fx].
  case: (boolP free) fx => [_ /= /eqP->|f _]; first by rewrite mulr0.
  by have [q0 _] := dq f; rewrite mulr_ge0.
- case/and3P => f /Nat.eqb_eq m1 chk rn q [dq _ few] qb cq _.
  have [t qt] : exists t, q = delta_mx 0 t by apply: unit_row; [exact: dq | rewrite -m1].
  have w : nth false within t by apply: cq; rewrite inE qt !mxE !eqxx oner_eq0.
  have bt : nth [::] columns t = b.
    apply: same_values => // [|g]; first exact: size_column.
    by have /rowP/(_ g) := qb; rewrite qt unit_values mxE.
  have := every_nth chk (ltn_ord t); rewrite w bt same_refl orbF /= rowE.
  case: P PP rowE {chk} => [p|] //= PP _ pt; have [[dp _ fewp] _] := PP p erefl.
  have [s ps] : exists s, p = delta_mx 0 s by apply: unit_row; [exact: dp | rewrite -m1].
  by move: pt; rewrite ps qt mxE eqxx /=; case: (eqVneq t s) => [->|] //; rewrite eqxx.
case/and3P => /Nat.ltb_lt/ssrnat.ltP lt cw cm rn q mq qb cq hq; pose i := Ordinal lt.
have [iq|iq] := boolP (i \in support q).
  apply: (IHm _ _ cm) => //; first exact: (@size_with _ i); last exact: (@holds_with _ _ i).
  apply: covers_settled => //; [exact: (@size_with _ i) | exact: (@holds_with _ _ i)| by case: mq].
by apply: (IHw _ _ cw) => //; exact: (@covers_without _ _ i).
Qed.

Definition gaining v := [set s : 'I_n | 0 < v 0 s].
Definition losing v := [set s : 'I_n | v 0 s < 0].

Lemma apart_sound t up up' down down' : check_apart free most columns facts up up' down down' t ->
  size up' = n -> size down' = n ->
  forall v, v *m A^T = 0 -> (~~ free -> total v = 0) -> covers (gaining v) up -> covers (losing v) down ->
  holds up' (gaining v) -> holds down' (losing v) -> (#|gaining v| <= most)%N -> (#|losing v| <= most)%N -> v = 0.
Proof.
elim: t up up' down down' => [j y|y|y||s second without IHw more IHm] up up' down down' //=.
- move=> chk _ _ v Av _ cu cd _ _ _ _; apply: (@independent j) => // s off.
  have := every_nth chk (ltn_ord s); rewrite (negPf off) /= => /andP[u d]; apply/eqP.
  rewrite eq_le !leNgt; apply/andP; split.
    by apply: contraNN u => vs; apply: cu; rewrite inE.
  by apply: contraNN d => vs; apply: cd; rewrite inE.
- case/andP => f chk _ _ v Av tv cu cd _ _ _ _; have ev (s : 'I_n) := every_nth chk (ltn_ord s).
  have zero : \sum_s v 0 s * rational (product y (nth [::] columns s)) = 0.
    by rewrite -functional Av big1 // => g _; rewrite mxE mulr0.
  have term (s : 'I_n) : 0 <= v 0 s * rational (product y (nth [::] columns s)).
    have := ev s => /=; rewrite -rational_gt0 -rational_le0 => /andP[u d].
    have [vs|vs|->] := ltgtP (v 0 s) 0; last by rewrite mul0r.
      by rewrite mulr_le0 ?(ltW vs) //; move: d; rewrite cd ?inE.
    by rewrite mulr_ge0 ?(ltW vs) // ltW //; move: u; rewrite cu ?inE.
  apply/eqP; apply: contraT => v0; have [s] : exists s, (- v) 0 s < 0.
    by apply: negative_entry; rewrite ?oppr_eq0 // -scaleN1r totalZ tv // mulr0.
  rewrite mxE oppr_lt0 => vs; move: zero => /eqP; rewrite psumr_eq0 // => /allP/(_ s (mem_index_enum s)).
  have := ev s => /=; rewrite -rational_gt0 cu ?inE //= => /andP[pos _].
  by rewrite mulf_eq0 !gt_eqF.
- case/and3P => f /Nat.eqb_eq m1 di _ _ v Av tv _ _ _ _ few few'.
  apply/eqP; apply: contraT => v0; have [t vt] := negative_entry v0 (tv f).
  have [s] : exists s, (- v) 0 s < 0.
    by apply: negative_entry; rewrite ?oppr_eq0 // -scaleN1r totalZ tv // mulr0.
  rewrite mxE oppr_lt0 => vs; have st : s != t by apply: contraTneq vs => ->; rewrite -leNgt ltW.
  have off i : i != s -> i != t -> v 0 i = 0.
    move=> is_ it; rewrite m1 in few few'; move/card_le1_eqP: few => few; move/card_le1_eqP: few' => few'.
    have [vi|vi|//] := ltgtP (v 0 i) 0.
      by case/eqP: it; apply: few'; rewrite inE.
    by case/eqP: is_; apply: few; rewrite inE.
  have sum2 (x : 'I_n -> rat) : \sum_i v 0 i * x i = v 0 s * x s + v 0 t * x t.
    rewrite (bigD1 s) //= (bigD1 t) ?(eq_sym t) //= big1 ?addr0 // => i /andP[is_ it].
    by rewrite off // mul0r.
  have vst : v 0 t = - v 0 s.
    have := tv f; rewrite total_sum (eq_bigr (fun i => v 0 i * 1)) => [|i _]; last by rewrite mulr1.
    by rewrite sum2 !mulr1 => /eqP; rewrite addr_eq0 => /eqP ->; rewrite opprK.
  have e : nth [::] columns s = nth [::] columns t.
    apply: same_values; rewrite ?size_column // => g; have /rowP/(_ g) := Av; rewrite !mxE.
    under eq_bigr do rewrite !mxE.
    rewrite sum2 vst mulNr -mulrBr => /eqP; rewrite mulf_eq0 gt_eqF //= subr_eq0 => /eqP //.
  case: (ssrnat.ltngtP s t) => lt; first by case: (distinct_nth di lt (ltn_ord t) e).
    by case: (distinct_nth di lt (ltn_ord s) (esym e)).
  by case/eqP: st; apply: val_inj.
case/andP => /Nat.ltb_lt/ssrnat.ltP lt; pose i := Ordinal lt; case: second => /andP[cw cm] un dn v Av tv cu cd hu hd few few'.
  have [iv|iv] := boolP (i \in losing v).
    apply: (IHm _ _ _ _ cm) => //; [exact: (@size_with _ i)| | | exact: (@holds_with _ _ i)].
      apply: (@covers_without _ _ i) => //; move: iv; rewrite !inE => iv.
      by rewrite -leNgt ltW.
    by apply: covers_settled => //; [exact: (@size_with _ i) | exact: (@holds_with _ _ i)].
  by apply: (IHw _ _ _ _ cw) => //; exact: (@covers_without _ _ i).
have [iv|iv] := boolP (i \in gaining v).
  apply: (IHm _ _ _ _ cm) => //; [exact: (@size_with _ i)| | | exact: (@holds_with _ _ i)].
    by apply: covers_settled => //; [exact: (@size_with _ i) | exact: (@holds_with _ _ i)].
  apply: (@covers_without _ _ i) => //; move: iv; rewrite !inE => iv.
  by rewrite -leNgt ltW.
by apply: (IHw _ _ _ _ cw) => //; exact: (@covers_without _ _ i).
Qed.

Lemma member_weights allowed d w : check_member free allowed most columns d w -> member allowed (weights d w).
Proof.
case/and5P => d0 /Nat.eqb_eq wn chk /Nat.leb_le/ssrnat.leP few fr.
have d1 : 0 < rational d by rewrite rational_gt0.
have ne (s : 'I_n) : (weights d w 0 s != 0) = nth false (nonzero w) s.
  by rewrite mxE mulf_eq0 invr_eq0 (gt_eqF d1) orbF rational_eq0 nth_nonzero.
split.
- move=> f; move: fr; rewrite (negPf f) /= => /andP[/(all_nthP Z0) w0 /Z.eqb_eq sum].
  split=> [s|]; first by rewrite mxE divr_ge0 ?(ltW d1) // rational_ge0 w0 // wn.
  have e : rational d = \sum_(s < n) rational (nth Z0 w s).
    rewrite -[in LHS]sum (@product_sum n) ?wn //; apply: eq_bigr => s _.
    by rewrite nth_nseq ltn_ord mul1r.
  rewrite total_sum -[RHS](divff (lt0r_neq0 d1)) [in X in _ = X / _]e mulr_suml; apply: eq_bigr => s _.
  by rewrite mxE.
- by move=> s; rewrite ne => r; have := every_nth chk (ltn_ord s); rewrite r orbF.
rewrite (leq_trans _ few) // (@count_card n); last by rewrite size_map.
by apply: subset_leq_card; apply/subsetP => s; rewrite !inE ne.
Qed.

Lemma weights_values allowed d w g : check_member free allowed most columns d w ->
  (weights d w *m A^T) 0 g = rational (nth Z0 (combination k w columns) g) / rational d.
Proof.
case/and5P => d0 _ _ _ _; rewrite mxE combination_nth // mulr_suml; apply: eq_bigr => s _.
by rewrite !mxE mulrAC.
Qed.

(** Checker, values: weights that the checker accepts have the stated values. *)
Theorem Checker_values allowed d w b : check_member free allowed most columns d w -> check_values k columns d w b ->
  size b = k /\ weights d w *m A^T = row_of b.
Proof.
move=> m /andP[/Nat.eqb_eq bk /(all_nthP (Z0, Z0)) v]; split=> //; apply/rowP => g; rewrite (weights_values _ m).
have d1 : rational d != 0 by case/and5P: m => d0 _ _ _ _; rewrite gt_eqF // rational_gt0.
have := v g; rewrite size_zip size_combination // bk minnn ltn_ord => /(_ isT).
by rewrite nth_zip ?size_combination //= => /Z.eqb_eq ->; rewrite rational_mul mulfK // mxE.
Qed.

Lemma holds_none X : holds (nseq n false) X.
Proof. by move=> s; rewrite nth_nseq; case: ifP. Qed.

(** Checker, IDENTIFIED: if the checker accepts, a row of the class has the values, and no other one does. *)
Theorem Checker_identified allowed b d w t : check_identified k free most columns facts allowed b d w t ->
  exists p, [/\ member allowed p, p *m A^T = row_of b
    & forall q, member allowed q -> q *m A^T = row_of b -> q = p].
Proof.
case/and3P => m v chk; have [bk pb] := Checker_values m v; have mp := member_weights m.
exists (weights d w); split=> // q mq qb; have d1 : rational d != 0.
  by case/and5P: m => d0 _ _ _ _; rewrite gt_eqF // rational_gt0.
suff [->] : Some (weights d w) = Some q by [].
apply: (only_sound (P := Some (weights d w)) (row := nonzero w) bk _ _ chk _ mq qb); first by move=> p [<-].
- by move=> s; rewrite mxE mulf_eq0 invr_eq0 (negPf d1) orbF rational_eq0 nth_nonzero.
- by rewrite size_nseq.
- by move=> s; rewrite inE; case: mq => _ h _; apply: h.
exact: holds_none.
Qed.

(** Checker, INCONSISTENT: if the checker accepts, no row of the class has the values. *)
Theorem Checker_inconsistent allowed b t : check_inconsistent k free most columns facts allowed b t ->
  ~ exists2 q, member allowed q & q *m A^T = row_of b.
Proof.
case/andP => /Nat.eqb_eq bk chk [q mq qb].
suff : None = Some q by [].
apply: (only_sound (P := None) (row := [::]) bk _ _ chk _ mq qb) => //.
- by move=> s; rewrite nth_nil.
- by rewrite size_nseq.
- by move=> s; rewrite inE; case: mq => _ h _; apply: h.
exact: holds_none.
Qed.

(** Checker, IDENTIFIED at uniform scope: if the checker accepts, rows of the class with the same values are equal. *)
Theorem Checker_determined allowed t : check_determined free most columns facts allowed t ->
  forall p q, member allowed p -> member allowed q -> p *m A^T = q *m A^T -> p = q.
Proof.
case/andP => size_most chk p q [dp ap fp] [dq aq fq] e; apply/eqP; rewrite -subr_eq0; apply/eqP.
have [sub_p sub_q] : (#|gaining (p - q)| <= most)%N /\ (#|losing (p - q)| <= most)%N.
  case: (boolP free) size_most => [_ /= /Nat.leb_le/ssrnat.leP le|f _].
    by split; apply: leq_trans le; rewrite -[X in (_ <= X)%N]card_ord; apply: max_card.
  have [p0 _] := dp f; have [q0 _] := dq f; split.
    apply: leq_trans fp; apply: subset_leq_card; apply/subsetP => s; rewrite !inE !mxE subr_gt0 => lt.
    by rewrite gt_eqF // (le_lt_trans (q0 s)).
  apply: leq_trans fq; apply: subset_leq_card; apply/subsetP => s; rewrite !inE !mxE subr_lt0 => lt.
  by rewrite gt_eqF // (le_lt_trans (p0 s)).
have inside_allowed (s : 'I_n) : (p - q) 0 s != 0 -> nth false allowed s.
  rewrite !mxE => ne; have [p0|] := eqVneq (p 0 s) 0; last exact: ap.
  by apply: aq; apply: contraNneq ne => ->; rewrite p0 subrr.
apply: (apart_sound chk) => //; rewrite ?size_nseq //; try exact: holds_none.
- by rewrite mulmxBl e subrr.
- by move=> f; have [_ p1] := dp f; have [_ q1] := dq f; rewrite totalB p1 q1 subrr.
- by move=> s; rewrite inE => lt; apply: inside_allowed; rewrite gt_eqF.
by move=> s; rewrite inE => lt; apply: inside_allowed; rewrite lt_eqF.
Qed.

(** Checker, NOT_IDENTIFIED: if the checker accepts, two different rows of the class have the same values. *)
Theorem Checker_pair allowed d w d' w' : check_pair k free most columns allowed d w d' w' ->
  [/\ member allowed (weights d w), member allowed (weights d' w'), weights d w != weights d' w'
    & weights d w *m A^T = weights d' w' *m A^T].
Proof.
case/and4P => m m' /(all_nthP (Z0, Z0)) v /(has_nthP (Z0, Z0))[s].
have d1 : rational d != 0 by case/and5P: m => d0 _ _ _ _; rewrite gt_eqF // rational_gt0.
have d1' : rational d' != 0 by case/and5P: m' => d0 _ _ _ _; rewrite gt_eqF // rational_gt0.
have [wn wn'] : size w = n /\ size w' = n by case/and5P: m => _ /Nat.eqb_eq; case/and5P: m' => _ /Nat.eqb_eq.
rewrite size_zip wn wn' minnn => sn; rewrite nth_zip ?wn ?wn' //= => ne; split; try exact: member_weights.
  apply: contraNneq ne => /rowP/(_ (Ordinal sn)); rewrite !mxE /= => e.
  by rewrite -rational_eq_Z !rational_mul -(divfK d1 (rational (nth Z0 w s))) e mulrAC divfK.
apply/rowP => g; rewrite (weights_values _ m) (weights_values _ m').
have := v g; rewrite size_zip !size_combination // minnn ltn_ord => /(_ isT).
rewrite nth_zip ?size_combination //= => /Z.eqb_eq/(congr1 rational); rewrite !rational_mul => e.
by apply/eqP; rewrite eqr_div // e.
Qed.
End Soundness.
