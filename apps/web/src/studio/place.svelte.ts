/**
 * The place that the address names now, for every screen.
 */

import { routeOf, type Route, type Screen } from './route';

let route: Route = $state.raw(routeOf(location.hash));

addEventListener('hashchange', () => (route = routeOf(location.hash)));

const last = new Map<Screen, Route>();

/** The place. */
export const place = {
  get route(): Route {
    return route;
  },
  /** The place on a screen: where it was last, while another screen takes its place. */
  on(screen: Screen): Route {
    if (route.screen === screen) last.set(screen, route);
    return last.get(screen) ?? { screen, id: '', part: '' };
  },
};
