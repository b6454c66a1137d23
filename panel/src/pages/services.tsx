import { api } from "../api";
import { useAsked } from "../asking";
import { Card, Page } from "../parts/page";
import { ServiceTable } from "../parts/service-table";
import { Loaded } from "../parts/states";
import { Treemap } from "../pictures/treemap";
import { usePolling } from "../polling";
import { link, type Place } from "../router";
import { texts } from "../texts";
import { ServicePage } from "./service";

const AGAIN_MS = 10_000;

export default function ServicesPage({ place }: { place: Place }) {
  return place.name ? <ServicePage name={place.name} /> : <AllServices />;
}

function AllServices() {
  const overview = useAsked(api.overview);
  const inventory = useAsked(api.inventory);
  usePolling(overview.again, AGAIN_MS);
  const s = texts.services;
  return (
    <Page
      title={texts.pages.services}
      lead={s.lead}
      actions={
        <a class="button main" href={link("catalog")}>
          {s.noneAction}
        </a>
      }
    >
      <Loaded asked={overview}>
        {(found) => (
          <Card tight>
            <ServiceTable services={found.services} />
          </Card>
        )}
      </Loaded>
      <Card title={s.where} lead={s.whereText}>
        <Loaded asked={inventory} lines={10}>
          {(rows) => (rows.length > 0 ? <Treemap rows={rows} /> : <p class="quiet">{s.whereNone}</p>)}
        </Loaded>
      </Card>
    </Page>
  );
}
