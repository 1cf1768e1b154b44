// Speed against quality: sampler steps and draws.

const byId = id => document.getElementById(id);

export class SamplingControls {
  /** `set(settings)`: a promise that is refused with the server's message. */
  constructor(set) {
    this.steps = byId("steps");
    this.draws = byId("draws");
    this.session = null;
    const value = byId("steps-value");
    this.steps.addEventListener("input", () => value.textContent = this.steps.value);
    this.steps.addEventListener("change", () => set({ steps: Number(this.steps.value) }));
    this.draws.addEventListener("change", () => set({ draws: Number(this.draws.value) }));
  }

  show(session) {
    this.session = session;
    this.steps.disabled = this.draws.disabled = session === null;
    byId("sampler").textContent = session?.sampler ?? "";
    byId("steps-value").textContent = session?.steps ?? "–";
    if (session === null)
      return;
    this.steps.max = String(Math.max(50, session.steps));
    this.steps.value = String(session.steps);
    const draws = String(session.draws);
    if (![...this.draws.options].some(o => o.value === draws))
      this.draws.append(new Option(draws));
    this.draws.value = draws;
  }
}
