// Where a route wants a fresh proof, the shell shows a dialog. Requests that come while it is open wait for the same answer.
type Ask = () => Promise<boolean>;

let show: Ask | null = null;
let open: Promise<boolean> | null = null;

export function onProofAsked(ask: Ask): void {
  show = ask;
}

export function askForProof(): Promise<boolean> {
  open ??= (show ? show() : Promise.resolve(false)).finally(() => {
    open = null;
  });
  return open;
}
