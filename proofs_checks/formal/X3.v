(* X3: negative type and exceptional discounts, for distances that are natural numbers. The directions that need Schoenberg's
   theorem (negative type implies positive definite) or the continuity of eigenvalues (no root implies positive definite) are not here. *)
From mathcomp Require Import all_ssreflect all_algebra.
From TabularInversion Require Import Base.
Set Implicit Arguments. Unset Strict Implicit. Unset Printing Implicit Defensive.
Import Order.Theory GRing.Theory Num.Theory.
Local Open Scope ring_scope.

Section NegativeType.
Variables (F : realFieldType) (n : nat) (d : 'I_n -> 'I_n -> nat).
Implicit Types x : 'rV[F]_n.

(* Z(gamma) = (gamma^d(i,j)), and D = (d(i,j)) *)
Definition similarity (gamma : F) : 'M[F]_n := \matrix_(i, j) gamma ^+ d i j.
Definition distances : 'M[F]_n := \matrix_(i, j) (d i j)%:R.
Definition form (Z : 'M[F]_n) x : F := dot (x *m Z) x.

Definition positive_definite (Z : 'M[F]_n) := forall x, x != 0 -> 0 < form Z x.
Definition negative_type := forall x, total x = 0 -> form distances x <= 0.

Lemma formE Z x : form Z x = \sum_j (\sum_i x 0 i * Z i j) * x 0 j.
Proof. by rewrite /form /dot mxE; apply: eq_bigr => j _; rewrite !mxE. Qed.

(** (ii) implies (i): where Z(gamma) is positive definite its determinant is not zero, so gamma is no exceptional discount. *)
Theorem X3_positive_definite_no_root gamma : positive_definite (similarity gamma) -> \det (similarity gamma) != 0.
Proof.
move=> pd; rewrite -unitfE -unitmxE -row_free_unit -kermx_eq0; apply/eqP/row_matrixP => i; rewrite row0.
apply/eqP; case: eqP => // /eqP /pd; rewrite /form -row_mul mulmx_ker row0.
by rewrite /dot mul0mx mxE ltxx.
Qed.

(* x^T Z(gamma) x is a polynomial in gamma *)
Definition form_poly x : {poly F} := \sum_j (\sum_i (x 0 i)%:P * 'X^(d i j)) * (x 0 j)%:P.

Lemma form_polyE x gamma : (form_poly x).[gamma] = form (similarity gamma) x.
Proof.
rewrite formE horner_sum; apply: eq_bigr => j _; rewrite hornerM hornerC horner_sum; congr (_ * _).
by apply: eq_bigr => i _; rewrite hornerM hornerC hornerXn mxE.
Qed.

Lemma form_poly1 x : total x = 0 -> (form_poly x).[1] = 0.
Proof.
move=> x0; rewrite form_polyE formE big1 // => j _; rewrite (eq_bigr (fun i => x 0 i)) => [|i _].
  by rewrite -total_sum x0 mul0r.
by rewrite mxE expr1n mulr1.
Qed.

Lemma form_poly_deriv x : (form_poly x)^`().[1] = form distances x.
Proof.
rewrite formE /form_poly raddf_sum horner_sum; apply: eq_bigr => j _.
rewrite /= derivM derivC mulr0 addr0 hornerM hornerC; congr (_ * _).
rewrite raddf_sum horner_sum; apply: eq_bigr => i _.
by rewrite /= derivM derivC mul0r add0r derivXn hornerM hornerC hornerMn hornerXn expr1n mxE.
Qed.

(* a polynomial that is zero at one and nowhere negative just before has no positive slope there *)
Lemma slope (f : {poly F}) : f.[1] = 0 -> (forall y : F, 0 < y < 1 -> 0 <= f.[y]) -> f^`().[1] <= 0.
Proof.
move=> /eqP f1 pos; have /factor_theorem[h fh] : root f 1 by [].
have -> : f^`().[1] = h.[1] by rewrite fh derivM derivXsubC mulr1 hornerD hornerM hornerXsubC subrr mulr0 add0r.
rewrite leNgt; apply/negP => h1.
have /factor_theorem[u hu] : root (h - (h.[1])%:P) 1 by rewrite /root hornerD hornerN hornerC subrr.
have [b ub] := poly_itv_bound u 0 1.
have b0 : 0 <= b by apply: le_trans (ub 1 _); rewrite ?ler01 ?lexx.
(* at x = 1 - t with t (b + h(1)) small, h(x) is still positive *)
pose t := h.[1] / (b + h.[1] + h.[1] + 1); have den : 0 < b + h.[1] + h.[1] + 1.
  by rewrite addr_gt0 // addr_gt0 // ltr_paddl.
have t0 : 0 < t by rewrite divr_gt0.
have t1 : t < 1 by rewrite ltr_pdivr_mulr // mul1r -addrA ltr_paddl ?addr_ge0 ?(ltW h1) // ltr_addl.
have x01 : 0 < 1 - t < 1 by rewrite subr_gt0 t1 /= ltr_subl_addr ltr_addl.
have := pos _ x01; rewrite fh hornerM hornerXsubC addrAC subrr add0r mulrN oppr_ge0 leNgt => /negP; apply.
rewrite mulr_gt0 //; have hx : h.[1 - t] = h.[1] - t * u.[1 - t].
  have := congr1 (fun g : {poly F} => g.[1 - t]) hu; rewrite /= !hornerE [1 - t - 1]addrAC subrr add0r mulrN => /eqP.
  by rewrite subr_eq => /eqP->; rewrite addrC [t * _]mulrC.
rewrite hx subr_gt0; apply: le_lt_trans (_ : t * b < _).
  rewrite ler_pmul2l // (le_trans (ler_norm _)) // ub //; case/andP: x01 => a c.
  by rewrite !ltW.
rewrite /t mulrAC ltr_pdivr_mulr // ltr_pmul2l // -!addrA ltr_addl.
by rewrite !addr_gt0.
Qed.

(** (ii) implies (iii), even from semidefinite: if Z(gamma) is nowhere negative on (0, 1), the distance is of negative type. *)
Theorem X3_semidefinite_negative_type :
  (forall gamma, 0 < gamma < 1 -> forall x, 0 <= form (similarity gamma) x) -> negative_type.
Proof.
move=> psd x x0; rewrite -form_poly_deriv; apply: slope; first exact: form_poly1.
by move=> gamma g01; rewrite form_polyE; apply: psd.
Qed.

(** (ii) implies (iii): if Z(gamma) is positive definite at all discounts in (0, 1), the distance is of negative type. *)
Theorem X3_positive_definite_negative_type :
  (forall gamma, 0 < gamma < 1 -> positive_definite (similarity gamma)) -> negative_type.
Proof.
move=> pd; apply: X3_semidefinite_negative_type => gamma g01 x.
have [->|x0] := eqVneq x 0; first by rewrite /form /dot !mul0mx mxE.
exact/ltW/pd.
Qed.
End NegativeType.
