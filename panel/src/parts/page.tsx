import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { texts } from "../texts";

interface PageProps {
  title: string;
  lead?: string | undefined;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

let isFirstPage = true;

/** A page's heading takes the focus when the page changes, so that a screen reader says where one is. */
export function Page({ title, lead, actions, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${texts.product}`;
    if (!isFirstPage) {
      heading.current?.focus({ preventScroll: true });
      scrollTo(0, 0);
    }
    isFirstPage = false;
  }, [title]);
  return (
    <>
      <div class="page-head">
        <div>
          <h1 ref={heading} tabIndex={-1}>
            {title}
          </h1>
          {lead && <p class="lead">{lead}</p>}
        </div>
        {actions && <div class="row">{actions}</div>}
      </div>
      <div class="stack">{children}</div>
    </>
  );
}

interface CardProps {
  title?: string;
  lead?: string;
  actions?: ComponentChildren;
  tight?: boolean;
  children: ComponentChildren;
}

export function Card({ title, lead, actions, tight, children }: CardProps) {
  return (
    <section class={tight ? "card tight" : "card"}>
      {title && (
        <div class="card-head">
          <h2>{title}</h2>
          {actions && <div class="row">{actions}</div>}
          {lead && <p>{lead}</p>}
        </div>
      )}
      {children}
    </section>
  );
}
