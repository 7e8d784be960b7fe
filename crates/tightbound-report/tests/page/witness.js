// Write down every error, and every request that the page's policy refused.
window.problems = [];
addEventListener("error", (event) => problems.push(`error: ${event.message}`), true);
addEventListener("unhandledrejection", (event) => problems.push(`rejection: ${event.reason}`));
addEventListener("securitypolicyviolation", (event) =>
  problems.push(`policy: ${event.violatedDirective} ${event.blockedURI}`),
);
for (const level of ["error", "warn"]) {
  console[level] = (...words) => problems.push(`${level}: ${words.join(" ")}`);
}
// The browser's clock is virtual and its screen is not: let frames come by the clock.
window.requestAnimationFrame = (draw) => setTimeout(() => draw(performance.now()), 16);
