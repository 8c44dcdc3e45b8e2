// The colour of a temperature.
//
// The ramp goes from deep blue over magenta and orange to pale yellow while its lightness only ever grows, so it
// reads the same for every kind of colour vision and in a black-and-white print.

export const COOLEST_CELSIUS = 20;
export const HOTTEST_CELSIUS = 100;

/** Where on the ramp, and there OKLCH lightness, chroma and hue. */
const STOPS = [
  [0.0, 0.3, 0.11, 268],
  [0.25, 0.42, 0.17, 295],
  [0.45, 0.54, 0.19, 340],
  [0.65, 0.66, 0.19, 30],
  [0.82, 0.78, 0.16, 62],
  [1.0, 0.92, 0.14, 102],
];
const STEPS = 96;

function colourAt(position) {
  const above = Math.max(1, STOPS.findIndex(([start]) => start >= position));
  const [low, high] = [STOPS[above - 1], STOPS[above]];
  const share = (position - low[0]) / (high[0] - low[0]);
  const hueTurn = ((high[3] - low[3] + 540) % 360) - 180;
  const [lightness, chroma] = [1, 2].map((i) => low[i] + share * (high[i] - low[i]));
  const hue = (low[3] + share * hueTurn + 360) % 360;
  return {
    background: `oklch(${lightness.toFixed(3)} ${chroma.toFixed(3)} ${hue.toFixed(1)})`,
    ink: lightness > 0.62 ? "dark" : "light",
  };
}

const COLOURS = Array.from({ length: STEPS + 1 }, (_, step) => colourAt(step / STEPS));

/** The step of the ramp for a temperature in degrees Celsius. */
export function stepOf(celsius) {
  const share = (celsius - COOLEST_CELSIUS) / (HOTTEST_CELSIUS - COOLEST_CELSIUS);
  return Math.round(Math.min(1, Math.max(0, share)) * STEPS);
}

/** `{ background, ink }` of a step: a CSS colour and whether text on it is dark or light. */
export function colourOf(step) {
  return COLOURS[step];
}

/** The whole ramp as a CSS gradient, for the legend. */
export function gradient() {
  return `linear-gradient(to right, ${COLOURS.map((colour) => colour.background).join(", ")})`;
}
