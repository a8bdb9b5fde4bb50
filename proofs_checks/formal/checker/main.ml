(* Reads a system, facts and questions from standard input, and prints 1 or 0 for the facts and for each question; see
   extracted_checker.py. *)
open Checker

(* Scanf would take longer than the checks. *)
let text = Buffer.create 65536
let rec first () = match input_char stdin with ' ' | '\n' -> first () | letter -> letter
let rec rest () =
  match input_char stdin with
  | ' ' | '\n' -> ()
  | letter -> Buffer.add_char text letter; rest ()
  | exception End_of_file -> ()
let word () = Buffer.clear text; Buffer.add_char text (first ()); rest (); Buffer.contents text
let big () = Big.of_string (word ())
let count () = int_of_string (word ())
let list read = let n = count () in List.init n (fun _ -> read ())
let flag () = count () <> 0
let numbers () = list big
let rec nat n = if n = 0 then O else S (nat (n - 1))
let size () = nat (count ())

let fact () =
  let inside = list flag in let p = big () in let d = big () in let rows = list numbers in (((inside, p), d), rows)

let rec proof () =
  match word () with
  | "unique" -> let j = size () in Unique (j, numbers ())
  | "farkas" -> Farkas (numbers ())
  | "apart" -> Apart (numbers ())
  | "columns" -> Columns
  | "branch" ->
    let s = size () in let second = flag () in let without = proof () in Branch (s, second, without, proof ())
  | other -> failwith ("unknown proof " ^ other)

let () =
  let k = size () in let free = flag () in let most = size () in let columns = list numbers in
  let facts = list fact in
  let say answer = print_endline (if answer then "1" else "0") in
  let weights () = let d = big () in (d, numbers ()) in
  let answer allowed = function
    | "identified" ->
      let b = numbers () in let d, w = weights () in
      check_identified k free most columns facts allowed b d w (proof ())
    | "inconsistent" -> let b = numbers () in check_inconsistent k free most columns facts allowed b (proof ())
    | "determined" -> check_determined free most columns facts allowed (proof ())
    | "pair" ->
      let d, w = weights () in let d', w' = weights () in check_pair k free most columns allowed d w d' w'
    | "valued" ->
      let b = numbers () in let d, w = weights () in let d', w' = weights () in
      check_values k columns d w b && check_pair k free most columns allowed d w d' w'
    | other -> failwith ("unknown question " ^ other) in
  say (check_facts k columns facts);
  for _ = 1 to count () do
    let kind = word () in let allowed = list flag in
    say (answer allowed kind)
  done
