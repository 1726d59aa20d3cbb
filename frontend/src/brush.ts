// Drag over a chart to see that time only: the range goes into the address.
import { all, whenDrawn } from "./page";

const DRAG_PX_MIN = 6;
const SVG = "http://www.w3.org/2000/svg";

function watch(chart: SVGSVGElement): void {
  const since = Number(chart.dataset["since"]);
  const step = (Number(chart.dataset["until"]) - since) / Number(chart.dataset["points"]);
  const points = Number(chart.dataset["points"]);
  let from = 0;
  let mark: SVGRectElement | null = null;

  const share = (event: PointerEvent) => {
    const box = chart.getBoundingClientRect();
    return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
  };
  const edges = (a: number, b: number): [number, number] => [
    Math.floor(Math.min(a, b) * points),
    Math.max(Math.floor(Math.min(a, b) * points) + 1, Math.ceil(Math.max(a, b) * points)),
  ];

  chart.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    chart.setPointerCapture(event.pointerId);
    from = share(event);
    mark = document.createElementNS(SVG, "rect");
    mark.setAttribute("class", "trend-mark");
    mark.setAttribute("height", "100%");
    chart.append(mark);
  });
  chart.addEventListener("pointermove", (event) => {
    if (!mark) return;
    const [first, last] = edges(from, share(event));
    mark.setAttribute("x", `${(100 * first) / points}%`);
    mark.setAttribute("width", `${(100 * (last - first)) / points}%`);
  });
  chart.addEventListener("pointerup", (event) => {
    if (!mark) return;
    mark.remove();
    mark = null;
    const to = share(event);
    if (Math.abs(to - from) * chart.getBoundingClientRect().width < DRAG_PX_MIN) return;
    const [first, last] = edges(from, to);
    const address = new URL(window.location.href);
    address.searchParams.delete("after");
    address.searchParams.set("since", String(Math.round(since + first * step)));
    address.searchParams.set("until", String(Math.round(since + last * step)));
    window.location.assign(address);
  });
  chart.addEventListener("pointercancel", () => {
    mark?.remove();
    mark = null;
  });
}

export function brush(): void {
  whenDrawn((part) => all<SVGSVGElement>("[data-brush] svg[data-since]", part).forEach(watch));
}
