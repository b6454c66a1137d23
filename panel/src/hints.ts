// The server says what to do in the words of a command line. Here its options are called as the page calls them.
const IN_THE_PANEL: [RegExp, string][] = [
  [/leave it out with --without [^\s,]+/g, "leave it out below"],
  [/(?:give|pass) --allow-older/g, "choose “It may be older” below, under “Rarely needed”,"],
  [
    /(name the signer|name it) with --expect-did/g,
    "choose “I know and trust this signer” below, under “Rarely needed”,",
  ],
  [/give --expect-did/g, "choose “I know and trust this signer” below, under “Rarely needed”"],
  [/--as NAME restores it/g, "“Under another name” restores it"],
  [/--replace puts it/g, "“Replace what is here already” puts it"],
  [/spl service \S+ restore --previous/g, "“Put it back” on the service's page"],
  [/(?:spl service \S+ restore )?--discard-previous/g, "“Discard the state before” on the service's page"],
  [/--previous/g, "“Put it back” there"],
  [/--without/g, "fewer services"],
  [/with --context|--context/g, "one context"],
];

export function hintInPanel(hint: string): string {
  return IN_THE_PANEL.reduce((text, [option, name]) => text.replaceAll(option, name), hint).replace(/,$/, "");
}
