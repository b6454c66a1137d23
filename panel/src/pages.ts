import type { ComponentType } from "preact";
import type { Place } from "./router";
import type { texts } from "./texts";

export type PageComponent = ComponentType<{ place: Place }>;
export type PageName = keyof typeof texts.pages;
type Load = () => Promise<{ default: PageComponent }>;

/** Each page is a file of its own, fetched when it is first gone to. */
export const pages: Record<PageName, Load> = {
  overview: () => import("./pages/overview"),
  services: () => import("./pages/services"),
  catalog: () => import("./pages/catalog"),
  secrets: () => import("./pages/secrets"),
  backups: () => import("./pages/backups"),
  restore: () => import("./pages/restore"),
  contexts: () => import("./pages/contexts"),
  tenants: () => import("./pages/tenants"),
  records: () => import("./pages/records"),
  peers: () => import("./pages/peers"),
  activity: () => import("./pages/activity"),
  settings: () => import("./pages/settings"),
};

export const menu: PageName[][] = [
  ["overview", "services", "catalog", "secrets"],
  ["backups", "restore"],
  ["contexts", "tenants", "records", "peers"],
  ["activity", "settings"],
];
