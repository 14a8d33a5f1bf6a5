/** What the example buttons of the settings fill in. */

export const EXAMPLE_TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      description: "The weather at a place now.",
      parameters: {
        type: "object",
        properties: {
          place: { type: "string", description: "City and country" },
          unit: { type: "string", enum: ["celsius", "fahrenheit"] },
        },
        required: ["place"],
      },
    },
  },
];

export const EXAMPLE_SCHEMA = {
  title: "recipe",
  type: "object",
  properties: {
    name: { type: "string" },
    minutes: { type: "integer" },
    ingredients: { type: "array", items: { type: "string" } },
  },
  required: ["name", "minutes", "ingredients"],
  additionalProperties: false,
};

export const EXAMPLE_EXTRA = { user: "someone", metadata: { purpose: "a try" } };
