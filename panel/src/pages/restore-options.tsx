import { Check, Radios, Select, TextField } from "../parts/field";
import { texts } from "../texts";
import type { BundleSummary, ImportOptions } from "../types";

interface RestoreOptionsProps {
  bundle: BundleSummary;
  options: ImportOptions;
  onOptions: (options: ImportOptions) => void;
}

export function RestoreOptions({ bundle, options, onOptions }: RestoreOptionsProps) {
  const r = texts.restore;
  const without = options.without ?? [];
  const context = bundle.scope.context ?? options.context;
  const isWhole = bundle.scope.kind === "instance" && !context;
  const set = (part: Partial<ImportOptions>) => onOptions({ ...options, ...part });
  const leaveOut = (name: string, isIn: boolean) =>
    set({ without: isIn ? without.filter((other) => other !== name) : [...without, name].sort() });
  return (
    <div class="form">
      {!bundle.scope.context && bundle.contexts.length > 0 && (
        <Select
          label={r.what}
          value={options.context ?? ""}
          options={[
            ["", r.everything],
            ...bundle.contexts.map(({ name }) => [name, texts.backups.contextOnly(name)] as const),
          ]}
          onValue={(value) => set({ context: value, ...(value ? {} : { as: "" }) })}
        />
      )}
      {context && (
        <TextField
          label={r.as}
          hint={r.asHint(context)}
          value={options.as ?? ""}
          onValue={(value) => set({ as: value })}
        />
      )}
      {bundle.services.length > 0 && (
        <fieldset class="form">
          <legend>{r.services}</legend>
          <div class="form-row">
            {bundle.services.map(({ name }) => (
              <Check key={name} checked={!without.includes(name)} onChecked={(checked) => leaveOut(name, checked)}>
                {name}
              </Check>
            ))}
          </div>
        </fieldset>
      )}
      {isWhole && (
        <Radios
          label={r.records}
          value={options.records === "replace" ? "replace" : "merge"}
          options={[
            ["merge", r.recordKinds.merge],
            ["replace", r.recordKinds.replace],
          ]}
          onValue={(value) => set({ records: value })}
        />
      )}
      <Check checked={options.replace ?? false} onChecked={(replace) => set({ replace })}>
        {r.replace}
      </Check>
      <details>
        <summary>{r.rare}</summary>
        <div class="form">
          <Check
            checked={options.expect_did === bundle.source_did}
            onChecked={(checked) => set({ expect_did: checked ? bundle.source_did : "" })}
          >
            {r.expectDid} <code>{bundle.source_did}</code>
          </Check>
          <Check checked={options.allow_older ?? false} onChecked={(allow_older) => set({ allow_older })}>
            {r.allowOlder}
          </Check>
          {bundle.identity === "included" && isWhole && (
            <Check checked={options.adopt_identity ?? false} onChecked={(adopt_identity) => set({ adopt_identity })}>
              {r.adoptIdentity}
            </Check>
          )}
        </div>
      </details>
    </div>
  );
}
