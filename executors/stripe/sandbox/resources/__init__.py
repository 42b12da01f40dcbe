"""The endpoints of the local Stripe, one module per resource."""
