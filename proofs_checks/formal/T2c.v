(* T2c: one goal, a deterministic row judged among all stochastic rows. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base S1.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section OneGoal.
Variables (F : realFieldType) (n : nat) (M : 'M[F]_(1, n)).

Lemma sureE (s : 'I_n) : sure F s *m M^T = (M 0 s)%:M.
Proof.
apply/rowP => g; rewrite ord1 mxE (bigD1 s) //= big1 => [|i /negPf is0]; last by rewrite mxE is0 andbF mul0r.
by rewrite !mxE !eqxx mul1r addr0.
Qed.

(** With one goal, whatever its rewards, a deterministic row is not identified among stochastic rows if its successor's value lies strictly
    between those of two other states. *)
Theorem T2c_between_is_not_identified (s low high : 'I_n) : M 0 low < M 0 s -> M 0 s < M 0 high -> ~ identified M (sure F s).
Proof.
move=> ls sh; rewrite S1_deterministic_iff_corner => none; apply: none.
have lh : 0 < M 0 high - M 0 low by rewrite subr_gt0 (lt_trans ls).
pose t := (M 0 s - M 0 low) / (M 0 high - M 0 low).
have t0 : 0 <= t by rewrite divr_ge0 ?ltW // subr_gt0.
have t1 : t <= 1 by rewrite ler_pdivr_mulr // mul1r ler_add2r ltW.
have sl : s != low by apply: contraTneq ls => ->; rewrite ltxx.
have sH : s != high by apply: contraTneq sh => ->; rewrite ltxx.
have [l0 l1] := sure_distribution F low; have [h0 h1] := sure_distribution F high.
exists (t *: sure F high + (1 - t) *: sure F low); split.
- split=> [i|]; last by rewrite totalD !totalZ h1 l1 !mulr1 addrC subrK.
  by rewrite !mxE addr_ge0 // mulr_ge0 // ?subr_ge0 // ler0n.
- by rewrite !mxE (negPf sl) (negPf sH) !andbF !mulr0 addr0.
rewrite mulmxDl -!scalemxAl !sureE; apply/rowP => g; rewrite ord1 !mxE !mulr1n.
rewrite mulrBl mul1r addrCA -mulrBr /t mulfVK ?gt_eqF // addrC subrK.
by [].
Qed.
End OneGoal.
