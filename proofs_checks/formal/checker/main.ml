(* Reads tasks from standard input, integers separated by spaces, and prints 1 or 0 for each; see extracted_checker.py. *)
let word () = Scanf.scanf " %s" (fun text -> text)
let big () = Big.of_string (word ())
let count () = int_of_string (word ())
let list read = let n = count () in List.init n (fun _ -> read ())
let flag () = count () <> 0
let rec nat n = if n = 0 then Checker.O else Checker.S (nat (n - 1))
let size () = nat (count ())

let task = function
  | "unique" ->
    let k = size () in let p = big () in let d = big () in let rows = list (fun () -> list big) in
    Checker.check_unique k p d rows (list (fun () -> list big))
  | "member" ->
    let n = size () in let free = flag () in let d = big () in let w = list big in
    let lines = list (fun () -> list big) in let values = list big in
    Checker.check_member n free d w && Checker.check_values d w lines values
  | "pair" ->
    let n = size () in let free = flag () in let lines = list (fun () -> list big) in
    let d = big () in let w = list big in let d' = big () in
    Checker.check_pair n free lines d w d' (list big)
  | "farkas" ->
    let k = size () in let free = flag () in let y = list big in let columns = list (fun () -> list big) in
    Checker.check_farkas k free y columns (list big)
  | other -> failwith ("unknown task " ^ other)

let rec run () =
  match word () with
  | "" -> ()
  | kind -> print_endline (if task kind then "1" else "0"); run ()

let () = run ()
