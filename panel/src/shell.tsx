import { useEffect, useState } from "preact/hooks";
import { ApiError, asApiError } from "./api";
import { menu, pages, type PageComponent, type PageName } from "./pages";
import { Page } from "./parts/page";
import { ProofDialog } from "./parts/proof-dialog";
import { ErrorNote, Skeleton } from "./parts/states";
import { link, usePlace, type Place } from "./router";
import { texts } from "./texts";

export function Shell() {
  const place = usePlace();
  return (
    <div class="shell">
      <a class="button main skip" href="#content">
        {texts.skip}
      </a>
      <Side place={place} />
      <main class="page" id="content" tabIndex={-1}>
        <Content place={place} />
      </main>
      <ProofDialog />
    </div>
  );
}

function Side({ place }: { place: Place }) {
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [place]);
  return (
    <header class="side">
      <div class="side-head">
        <a class="mark" href={link("overview")}>
          <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
            <path
              d="M5 10.5 16 4l11 6.5v11L16 28 5 21.5z M5 10.5 16 17l11-6.5 M16 17v11"
              fill="none"
              stroke="currentColor"
              stroke-width="2.4"
              stroke-linejoin="round"
            />
          </svg>
          <span>{location.hostname}</span>
        </a>
        <button
          type="button"
          class="button menu-button"
          aria-expanded={open}
          aria-controls="menu"
          onClick={() => setOpen(!open)}
        >
          {texts.menu}
        </button>
      </div>
      <nav class="menu" id="menu" data-open={open} aria-label={texts.pagesLabel}>
        {menu.map((group) => (
          <ul key={group[0]}>
            {group.map((page) => (
              <li key={page}>
                <a href={link(page)} aria-current={place.page === page ? "page" : undefined}>
                  {texts.pages[page]}
                </a>
              </li>
            ))}
          </ul>
        ))}
      </nav>
    </header>
  );
}

function Content({ place }: { place: Place }) {
  const [loaded, setLoaded] = useState<{ page: string; Component: PageComponent } | null>(null);
  const [error, setError] = useState<ApiError | null>(null);
  const load = place.page in pages ? pages[place.page as PageName] : undefined;
  useEffect(() => {
    let isWanted = true;
    setError(null);
    load?.().then(
      (module) => isWanted && setLoaded({ page: place.page, Component: module.default }),
      (failure) => isWanted && setError(asApiError(failure)),
    );
    return () => {
      isWanted = false;
    };
  }, [place.page]);

  if (!load) {
    return (
      <Page title={texts.noPage.title} lead={texts.noPage.text}>
        <a href={link("overview")}>{texts.pages.overview}</a>
      </Page>
    );
  }
  if (error) return <ErrorNote error={error} again={() => location.reload()} />;
  if (loaded?.page !== place.page) return <Skeleton lines={8} />;
  return <loaded.Component place={place} key={`${place.page}/${place.name}`} />;
}
