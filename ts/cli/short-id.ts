/** How much of a session's id is shown, and is nearly always enough to name it. */
export const SHORT_ID = 8
