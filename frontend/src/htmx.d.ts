declare module "htmx.org/dist/htmx.min.js";
declare module "*.css";
