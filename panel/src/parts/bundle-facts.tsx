import { summaryOf, type Manifest } from "../bundle/manifest";
import { texts } from "../texts";
import type { BundleSummary } from "../types";
import { bytesText, countText } from "../units";

export function BundleFacts({ manifest }: { manifest: Manifest }) {
  return <SummaryFacts bundle={summaryOf(manifest)} />;
}

export function SummaryFacts({ bundle }: { bundle: BundleSummary }) {
  const b = texts.backups;
  return (
    <dl class="facts">
      <dt>{b.holds}</dt>
      <dd>{b.scope(bundle.scope)}</dd>
      <dt>{b.madeAt}</dt>
      <dd>{texts.time(bundle.created_at)}</dd>
      <dt>{texts.pages.services}</dt>
      <dd>{bundle.services.map((service) => `${service.name} ${service.version}`).join(", ") || b.noServices}</dd>
      {bundle.contexts.length > 0 && (
        <>
          <dt>{texts.pages.contexts}</dt>
          <dd>{bundle.contexts.map((context) => context.name).join(", ")}</dd>
        </>
      )}
      <dt>{texts.pages.records}</dt>
      <dd>{b.records(countText(bundle.record_count), countText(bundle.thread_count))}</dd>
      <dt>{texts.words.size}</dt>
      <dd>{bytesText(bundle.bytes)}</dd>
      <dt>{b.identity}</dt>
      <dd>{b.identityKinds[bundle.identity]}</dd>
      <dt>{b.signer}</dt>
      <dd>
        <code>{bundle.source_did}</code>
      </dd>
    </dl>
  );
}
