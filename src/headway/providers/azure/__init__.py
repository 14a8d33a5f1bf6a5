"""Azure OpenAI: deployments of OpenAI's models in a customer's own resource."""
