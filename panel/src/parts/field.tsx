import type { ComponentChildren, JSX } from "preact";
import { useId, useRef } from "preact/hooks";

interface FieldProps {
  label: string;
  hint?: string | undefined;
  fault?: string | undefined;
}

interface TextProps extends FieldProps {
  value: string;
  onValue: (value: string) => void;
  type?: "text" | "password" | "time" | "number" | "search" | "url";
  required?: boolean;
  autoFocus?: boolean;
  autoComplete?: string;
  list?: string;
  min?: number;
  multiline?: boolean;
}

export function TextField({ label, hint, fault, value, onValue, multiline, autoComplete = "off", ...rest }: TextProps) {
  const id = useId();
  const described = hint || fault ? `${id}-hint` : undefined;
  const common = {
    id,
    class: "input",
    value,
    autoComplete,
    "aria-describedby": described,
    "aria-invalid": fault ? true : undefined,
    onInput: (event: JSX.TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>) =>
      onValue(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {multiline ? (
        <textarea rows={3} required={rest.required} {...common} />
      ) : (
        <input type="text" {...rest} {...common} />
      )}
      {described && (
        <p class="hint" id={described}>
          {fault ?? hint}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> extends FieldProps {
  value: T;
  options: readonly (readonly [T, string])[];
  onValue: (value: T) => void;
}

export function Select<T extends string>({ label, hint, value, options, onValue }: ChoiceProps<T>) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input"
        value={value}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => onValue(event.currentTarget.value as T)}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}

export function Radios<T extends string>({ label, value, options, onValue }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="field">
      <legend>{label}</legend>
      {options.map(([option, text]) => (
        <label key={option} class="check">
          <input type="radio" name={name} checked={value === option} onChange={() => onValue(option)} />
          <span>{text}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface CheckProps {
  checked: boolean;
  onChecked: (checked: boolean) => void;
  disabled?: boolean;
  children: ComponentChildren;
}

export function Check({ checked, onChecked, disabled, children }: CheckProps) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChecked(event.currentTarget.checked)}
      />
      <span>{children}</span>
    </label>
  );
}

interface FileButtonProps {
  text: string;
  onFile: (file: File) => void;
  main?: boolean;
}

export function FileButton({ text, onFile, main }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" class={main ? "button main" : "button"} onClick={() => input.current?.click()}>
        {text}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={text}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          event.currentTarget.value = "";
          if (file) onFile(file);
        }}
      />
    </>
  );
}
