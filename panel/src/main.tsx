import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/pictures.css";
import { render } from "preact";
import { pages } from "./pages";
import { followLinks } from "./router";
import { Shell } from "./shell";
import { applyTheme } from "./theme";

applyTheme();
followLinks(new Set(Object.keys(pages)));
const root = document.getElementById("panel");
if (root) render(<Shell />, root);
