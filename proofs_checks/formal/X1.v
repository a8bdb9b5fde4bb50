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

Lemma all6P f (i : 'I_6) : all6 f -> f i.
Proof. by case: i => [[|[|[|[|[|[|//]]]]]] lt]; case/and6P. Qed.
Lemma all4P f (i : 'I_4) : all4 f -> f i.
Proof. by case: i => [[|[|[|[|//]]]] lt]; case/and4P. Qed.

(* the facts, by computation: rows sum to 24; values are the same in both worlds; M = R + C V / 2 with the best value *)
Lemma rows33 : all6 (fun s => all4 (fun a => (sum6 (kernel33 false s a) == 24) && (sum6 (kernel33 true s a) == 24)))%N.
Proof. by vm_compute. Qed.
Lemma same33 : all6 (fun g => all6 (fun s => all4 (fun a => value33 true g s a == value33 false g s a)))%N.
Proof. by vm_compute. Qed.
Lemma optimal33 :
  all6 (fun g => all6 (fun s => 48 * tests33 g s == if g == s then 192 else best33 g s))%N.
Proof. by vm_compute. Qed.
