import { defineConfig } from "vite";

// Everything that has a hash in its name lies below /-/assets/, the only place that the content security policy lets
// scripts and styles come from. The pages of plain/ need no script; the server fills them.
export default defineConfig({
  base: "/-/",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  worker: { format: "es" },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    cssCodeSplit: true,
    modulePreload: { polyfill: false },
    manifest: true,
    reportCompressedSize: false,
    rollupOptions: {
      input: [
        "index.html",
        "plain/claim.html",
        "plain/enter.html",
        "plain/link.html",
        "plain/sign-in.html",
        "plain/trust.html",
        "plain/plain.html",
      ],
    },
  },
});
