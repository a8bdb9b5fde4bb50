(* Writes checker.ml: the functions that `Checker.v` proves sound, on the big integers of Zarith. *)
From Coq Require Import ZArith Extraction ExtrOcamlBasic.
From mathcomp Require Import all_ssreflect.
From TabularInversion Require Import Checker.

Extract Inductive Z => "Big.t" ["Big.zero" "(fun x -> x)" "Big.neg"]
  "(fun zero positive negative x -> match Big.sign x with 0 -> zero () | 1 -> positive x | _ -> negative (Big.neg x))".
Extract Inductive positive => "Big.t" ["(fun x -> Big.succ (Big.shift_left x 1))" "(fun x -> Big.shift_left x 1)" "Big.one"]
  "(fun odd even one x -> if Big.equal x Big.one then one () else if Big.is_odd x then odd (Big.shift_right x 1) else even (Big.shift_right x 1))".
Extract Inlined Constant Z.add => "Big.add".
Extract Inlined Constant Z.sub => "Big.sub".
Extract Inlined Constant Z.mul => "Big.mul".
Extract Inlined Constant Z.rem => "Big.rem".
Extract Inlined Constant Z.eqb => "Big.equal".
Extract Inlined Constant Z.leb => "Big.leq".
Extract Inlined Constant Z.ltb => "Big.lt".

Extraction "checker.ml" check_facts check_identified check_inconsistent check_determined check_pair check_values.
