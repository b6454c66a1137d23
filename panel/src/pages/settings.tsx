import { useState } from "preact/hooks";
import { api } from "../api";
import { useAsked, useDoing } from "../asking";
import { Radios, TextField } from "../parts/field";
import { Card, Page } from "../parts/page";
import { ErrorNote, Loaded, State, Time } from "../parts/states";
import { Table } from "../parts/table";
import { texts } from "../texts";
import { applyTheme, theme, type Theme } from "../theme";
import { Passkeys } from "./passkeys";

const PASSWORD_OCTETS_MIN = 12;

export default function SettingsPage() {
  const [look, setLook] = useState<Theme>(theme());
  const doing = useDoing();
  const s = texts.settings;
  const signOut = () =>
    doing.run(async () => {
      await api.signOut();
      location.assign("/-/sign-in");
    });
  return (
    <Page
      title={texts.pages.settings}
      actions={
        <button type="button" class="button" disabled={doing.busy} onClick={signOut}>
          {s.signOut}
        </button>
      }
    >
      <ErrorNote error={doing.error} />
      <Card title={s.look}>
        <Radios
          label={s.theme}
          value={look}
          options={s.themes}
          onValue={(next) => {
            setLook(next);
            applyTheme(next);
          }}
        />
      </Card>
      <Password />
      <Passkeys />
      <Sessions />
      <Router />
    </Page>
  );
}

function Password() {
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [isSet, setIsSet] = useState(false);
  const doing = useDoing();
  const s = texts.settings;
  const isShort = new TextEncoder().encode(password).length < PASSWORD_OCTETS_MIN;
  const differs = again !== "" && again !== password;
  return (
    <Card title={s.password} lead={s.passwordText}>
      <form
        class="form"
        onSubmit={async (event) => {
          event.preventDefault();
          if (!(await doing.run(() => api.setPassword(password)))) return;
          setIsSet(true);
          setPassword("");
          setAgain("");
        }}
      >
        <div class="form-row">
          <TextField
            label={s.newPassword}
            hint={s.passwordHint}
            type="password"
            autoComplete="new-password"
            required
            value={password}
            onValue={setPassword}
          />
          <TextField
            label={s.passwordAgain}
            fault={differs ? s.passwordDiffers : undefined}
            type="password"
            autoComplete="new-password"
            required
            value={again}
            onValue={setAgain}
          />
        </div>
        <ErrorNote error={doing.error} />
        {isSet && (
          <p class="note ok" role="status">
            {s.passwordSet}
          </p>
        )}
        <div class="row">
          <button type="submit" class="button" disabled={doing.busy || isShort || again !== password}>
            {s.setPassword}
          </button>
        </div>
      </form>
    </Card>
  );
}

function Sessions() {
  const asked = useAsked(api.sessions);
  const doing = useDoing();
  const s = texts.settings;
  return (
    <Card tight title={s.sessions}>
      <ErrorNote error={doing.error} />
      <Loaded asked={asked} lines={3}>
        {(sessions) => (
          <Table
            caption={s.sessions}
            rows={sessions}
            keyOf={(session) => session.id}
            columns={[
              { head: s.browser, cell: (session) => <span title={session.agent}>{texts.agent(session.agent)}</span> },
              { head: s.address, cell: (session) => session.address },
              {
                head: s.used,
                cell: (session) =>
                  session.current ? <State tone="ok">{s.thisOne}</State> : <Time at={session.last_used_at} />,
              },
              {
                head: texts.words.actions,
                kind: "actions",
                cell: (session) =>
                  !session.current && (
                    <button
                      type="button"
                      class="button bare"
                      aria-label={s.endNamed(texts.agent(session.agent))}
                      onClick={() =>
                        doing.run(async () => {
                          await api.endSession(session.id);
                          await asked.again();
                        })
                      }
                    >
                      {s.end}
                    </button>
                  ),
              },
            ]}
          />
        )}
      </Loaded>
    </Card>
  );
}

function Router() {
  const asked = useAsked(api.router);
  const s = texts.settings;
  return (
    <Card title={s.router} lead={s.routerText}>
      <Loaded asked={asked} lines={4}>
        {(router) => (
          <dl class="facts">
            <dt>{s.addresses}</dt>
            <dd>{router.addresses.join(", ")}</dd>
            <dt>{s.certificate}</dt>
            <dd>{s.certificateText(router.certificate.kind, texts.time(router.certificate.not_after))}</dd>
            <dt>{s.names}</dt>
            <dd>{router.certificate.names.join(", ")}</dd>
            <dt>{texts.backups.digest}</dt>
            <dd>
              <code>{router.certificate.sha256}</code>
            </dd>
            {router.certificate.kind === "own" && (
              <>
                <dt>{s.devices}</dt>
                <dd>
                  <a href="/-/trust">{s.trust}</a>
                </dd>
              </>
            )}
          </dl>
        )}
      </Loaded>
    </Card>
  );
}
