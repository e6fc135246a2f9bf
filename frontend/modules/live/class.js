// /live/{lesson}/class: a classroom that came by a link instead of a bound kiosk.

import { Classroom } from "./classroom.js";
import { page as thisPage, stayAwake } from "./page.js";

const page = thisPage();
new Classroom(page, page.data.lesson);
stayAwake();
