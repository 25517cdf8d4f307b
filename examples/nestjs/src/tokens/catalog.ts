export interface Token {
  readonly symbol: string;
  readonly name: string;
  readonly network: string;
  readonly decimals: number;
}

/** Static, as the brief wants it: access is what this service is about. */
export const catalog: Token[] = [
  { symbol: 'BTC', name: 'Bitcoin', network: 'Bitcoin', decimals: 8 },
  { symbol: 'ETH', name: 'Ether', network: 'Ethereum', decimals: 18 },
  { symbol: 'USDC', name: 'USD Coin', network: 'Ethereum', decimals: 6 },
];
