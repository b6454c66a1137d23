import type { CatalogRow } from "../types";

/** What was chosen and what that comes after, of what is not installed, in the catalog's order. */
export function chosenWithNeeds(rows: CatalogRow[], chosen: string[]): CatalogRow[] {
  const byName = new Map(rows.map((row) => [row.name, row]));
  const wanted = new Set<string>();
  const add = (name: string) => {
    const row = byName.get(name);
    if (!row || row.installed || wanted.has(name)) return;
    wanted.add(name);
    row.after.forEach(add);
  };
  chosen.forEach(add);
  return rows.filter((row) => wanted.has(row.name));
}

/** What the catalog's address says: a job that is shown, services that are chosen at first, the check that waits. */
export function catalogPath(said: { job?: string; choose?: string; restore?: string | undefined }): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(said)) if (value) query.set(name, value);
  return `catalog?${query}`;
}
