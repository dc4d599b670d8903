// What the tests use of oidc-provider, which brings no types.

declare module "oidc-provider" {
  import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

  /** A token or code that is being issued. */
  export interface Source {
    sid?: string;
    sessionUid?: string;
    authTime?: number;
    accountId: string;
  }

  /** The request that is being answered. */
  export interface Context {
    body: string;
    oidc: { entities: { AuthorizationCode?: Source; RefreshToken?: Source } };
  }

  /** What a user allows a client. */
  export interface Grant {
    addOIDCScope(scope: string): void;
    addOIDCClaims(claims: string[]): void;
    addResourceScope(resource: string, scope: string): void;
    save(): Promise<string>;
  }

  /** What a user is asked. */
  export interface Interaction {
    uid: string;
    prompt: { name: string; details: { missingOIDCScope?: string[]; missingOIDCClaims?: string[]; missingResourceScopes?: Record<string, string[]>; acr?: { values?: string[] } } };
    params: { client_id: string; login_hint?: string; acr_values?: string };
    session?: { accountId: string };
  }

  /** What people are asked, in this order. */
  export const interactionPolicy: {
    base(): { add(prompt: object, index: number): void };
    Prompt: new (prompt: { name: string; requestable: boolean }) => object;
  };

  export default class Provider {
    constructor(issuer: string, configuration: object);
    Grant: new (fields: { accountId: string; clientId: string }) => Grant;
    callback(): RequestListener;
    interactionDetails(request: IncomingMessage, response: ServerResponse): Promise<Interaction>;
    interactionFinished(request: IncomingMessage, response: ServerResponse, result: object, options: { mergeWithLastSubmission: boolean }): Promise<void>;
    on(event: string, listener: (context: Context, error: Error) => void): this;
  }
}
