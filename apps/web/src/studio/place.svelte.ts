/**
 * The place that the address names now, for every screen.
 */

import { routeOf, type Route } from './route';

let route: Route = $state.raw(routeOf(location.hash));

addEventListener('hashchange', () => (route = routeOf(location.hash)));

/** The place. */
export const place = {
  get route(): Route {
    return route;
  },
};
