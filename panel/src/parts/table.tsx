import type { ComponentChildren } from "preact";
import { texts } from "../texts";

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  kind?: "number" | "actions";
}

interface TableProps<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  keyOf: (row: T) => string;
  /** A wide table of figures scrolls; others become a list where there is little room. */
  scrolls?: boolean;
}

/** The first column names the row. */
export function Table<T>({ caption, columns, rows, keyOf, scrolls }: TableProps<T>) {
  const table = (
    <table class={scrolls ? "table" : "table fold"}>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.head} scope="col" class={column.kind}>
              {column.kind === "actions" ? <span class="hidden">{column.head}</span> : column.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={keyOf(row)}>
            {columns.map((column, i) =>
              i === 0 ? (
                <th key={column.head} scope="row">
                  {column.cell(row)}
                </th>
              ) : (
                <td
                  key={column.head}
                  class={column.kind}
                  data-label={column.kind === "actions" ? undefined : column.head}
                >
                  {column.cell(row)}
                </td>
              ),
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
  if (!scrolls) return table;
  return (
    <div class="scroll" role="region" aria-label={caption} tabIndex={0}>
      {table}
    </div>
  );
}

/** Below a table of which only the beginning is shown. */
export function More({ isWanted, onMore }: { isWanted: boolean; onMore: () => void }) {
  if (!isWanted) return null;
  return (
    <p class="table-more">
      <button type="button" class="button" onClick={onMore}>
        {texts.more}
      </button>
    </p>
  );
}
