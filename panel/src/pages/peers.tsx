import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { TextField } from "../parts/field";
import { Card, Page } from "../parts/page";
import { Empty, ErrorNote, Loaded, State, Time } from "../parts/states";
import { texts } from "../texts";
import type { PeerRow } from "../types";
import { countText } from "../units";

const TONES = { establishing: "warn", active: "ok", paused: "warn", degraded: "stop", revoked: "stop" } as const;

export default function PeersPage() {
  const asked = useAsked(api.peers);
  const p = texts.peers;
  return (
    <Page title={texts.pages.peers} lead={p.lead}>
      <Loaded asked={asked}>
        {(peers) =>
          peers.length === 0 ? (
            <Empty title={p.none} text={p.noneText} />
          ) : (
            <div class="columns">
              {peers.map((peer) => (
                <PeerCard key={peer.pair_id} peer={peer} again={asked.again} />
              ))}
            </div>
          )
        }
      </Loaded>
      <Pair onPaired={asked.again} />
    </Page>
  );
}

function PeerCard({ peer, again }: { peer: PeerRow; again: () => void }) {
  const doing = useDoing();
  const p = texts.peers;
  const act = (work: (did: string) => Promise<void>) =>
    doing.run(async () => {
      await work(peer.peer_did);
      again();
    });
  return (
    <Card
      title={peer.peer_base_url || p.unknownAddress}
      actions={<State tone={TONES[peer.state]}>{p.states[peer.state]}</State>}
    >
      <div class="form">
        {peer.two_copies && <p class="note stop">{p.twoCopies}</p>}
        {peer.last_error && <p class="note warn">{peer.last_error}</p>}
        <dl class="facts">
          <dt>{p.did}</dt>
          <dd>
            <code>{peer.peer_did}</code>
          </dd>
          <dt>{p.upToDate}</dt>
          <dd>
            <Time at={peer.last_success} />
          </dd>
          <dt>{p.shares}</dt>
          <dd>{peer.namespaces.join(", ") || p.byConsent}</dd>
          <dt>{p.received}</dt>
          <dd>{p.receivedText(countText(peer.received), peer.refused)}</dd>
        </dl>
        <ErrorNote error={doing.error} />
        <div class="row">
          <button type="button" class="button" disabled={doing.busy} onClick={() => act(api.refreshPeer)}>
            {p.refresh}
          </button>
          {peer.state === "paused" ? (
            <button type="button" class="button" disabled={doing.busy} onClick={() => act(api.resumePeer)}>
              {p.resume}
            </button>
          ) : (
            <button
              type="button"
              class="button"
              disabled={doing.busy || peer.state === "revoked"}
              onClick={() => act(api.pausePeer)}
            >
              {p.pause}
            </button>
          )}
        </div>
      </div>
    </Card>
  );
}

function Pair({ onPaired }: { onPaired: () => void }) {
  const [url, setUrl] = useState("");
  const doing = useDoing();
  const p = texts.peers;
  return (
    <Card title={p.add} lead={p.addText}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          if (!(await doing.run(() => api.pair(url)))) return;
          setUrl("");
          onPaired();
        }}
      >
        <TextField label={p.url} type="url" required value={url} onValue={setUrl} />
        <ErrorNote error={doing.error} />
        <div class="row">
          <button type="submit" class="button main" disabled={doing.busy}>
            {p.add}
          </button>
        </div>
      </form>
    </Card>
  );
}
