(* S3: linear functionals of a row, such as the values of an unseen goal. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section Functionals.
Variables (F : realFieldType) (k n : nat) (M : 'M[F]_(k, n)) (w : 'rV[F]_n).
Implicit Types p q v : 'rV[F]_n.

(* the value of the functional w at p *)
Definition pairing p : F := (p *m w^T) 0 0.

Lemma row_space_iff : (w <= system M)%MS <-> forall v, v *m (system M)^T = 0 -> pairing v = 0.
Proof.
rewrite /pairing; split=> [/submxP[c ->] v v0 | null]; first by rewrite trmx_mul mulmxA v0 mul0mx mxE.
rewrite submxE; apply/eqP/rowP => j; rewrite mxE.
have /null : (col j (cokermx (system M)))^T *m (system M)^T = 0.
  by rewrite -trmx_mul colE mulmxA mulmx_coker mul0mx trmx0.
rewrite -trmx_mul mxE => e; rewrite [RHS]mxE -[RHS]e mxE.
by apply: eq_bigr => i _; rewrite !mxE.
Qed.

(** At a row with support T: a functional has one value on all distributions with the row's values iff it vanishes on all
    v with [M;1] v = 0 and v >= 0 off T. *)
Theorem S3_functional_at_a_row p : distribution p ->
  (forall q, distribution q -> q *m M^T = p *m M^T -> pairing q = pairing p) <->
  (forall v, v *m (system M)^T = 0 -> (forall i, p 0 i = 0 -> 0 <= v 0 i) -> pairing v = 0).
Proof.
move=> [p0 p1]; split=> [one v vM out | null q [q0 q1] Mq].
  have [Mv tv] := iffLR (system0 M v) vM; have [t t0 pos] := step p0 out.
  have : pairing (p + t *: v) = pairing p.
    apply: one; first by split=> //; rewrite totalD totalZ tv mulr0 addr0.
    by rewrite mulmxDl -scalemxAl Mv scaler0 addr0.
  rewrite /pairing mulmxDl -scalemxAl [LHS]mxE [X in _ + X]mxE => /eqP.
  by rewrite -subr_eq0 addrAC subrr add0r mulf_eq0 (gt_eqF t0) => /eqP.
apply/eqP; rewrite -subr_eq0; apply/eqP; rewrite -[LHS](_ : pairing (q - p) = _); last first.
  by rewrite /pairing mulmxBl !mxE.
by apply: null => [|i pi]; [apply/system_diff; rewrite q1 p1 | rewrite !mxE pi subr0].
Qed.

(** At a row that is positive everywhere: iff the functional is a combination of the test functions and a constant. *)
Theorem S3_functional_at_an_interior_row p : distribution p -> (forall i, 0 < p 0 i) ->
  (forall q, distribution q -> q *m M^T = p *m M^T -> pairing q = pairing p) <-> (w <= system M)%MS.
Proof.
move=> dp pos; rewrite S3_functional_at_a_row // row_space_iff; split=> null v v0; last by move=> _; apply: null.
by apply: null => // i pi; have := pos i; rewrite pi ltxx.
Qed.

(** Uniformly: a functional is determined at all distributions iff it is a combination of the test functions and a constant. *)
Theorem S3_functional_uniformly : (0 < n)%N ->
  (forall p q, distribution p -> distribution q -> q *m M^T = p *m M^T -> pairing q = pairing p) <-> (w <= system M)%MS.
Proof.
move=> n0; split=> [all | in_space p q dp dq Mq].
  apply/(S3_functional_at_an_interior_row (uniform_distribution F n0)) => [i|q dq]; first exact: uniform_gt0.
  exact/all/dq/uniform_distribution.
apply: (iffRL (S3_functional_at_a_row dp)) => // v v0 _.
exact: (iffLR row_space_iff).
Qed.
End Functionals.
